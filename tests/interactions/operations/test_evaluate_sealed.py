from __future__ import annotations

import base64

import numpy as np
import pytest

from fhirtwin.access import Caller
from fhirtwin.ckks.sealed import SealedScores
from fhirtwin.errors import EngineAnswerWrong, EngineUnavailable
from fhirtwin.vault import Vault
from tests.gateway_in_process import FHIR, Gateway
from tests.sealing import PANEL, Json, parameters


def ask(twin: Gateway, patient: str, sent: Json) -> tuple[int, Json]:
    answer = twin.http.post(f"/fhir/Patient/{patient}/$evaluate-sealed", json=sent, content_type=FHIR)
    if answer.status_code != 200:
        return answer.status_code, dict(answer.json["issue"][0])  # type: ignore[index]
    told = answer.json["parameter"]  # type: ignore[index]
    return 200, {one["name"]: next(value for name, value in one.items() if name != "name") for one in told}


def binaries(twin: Gateway) -> int:
    return int(twin.http.get("/fhir/Binary?_summary=count").json["total"])  # type: ignore[index]


def test_what_the_holder_of_the_key_seals_comes_back_as_what_only_they_can_open(twin: Gateway, patient: str) -> None:
    vault = Vault(PANEL)
    values = np.where(np.arange(len(PANEL.features)) % 2, PANEL.low, PANEL.high) / 2
    features, opening = vault.seal(values)
    status, told = ask(twin, patient, parameters(features))
    assert status == 200 and told["request"] == features.request_id.hex()
    sums = base64.b64decode(told["sums"])
    opened = vault.open(SealedScores(features.profile, features.panel_digest, features.request_id, sums), opening)
    for row, right in zip(PANEL.rows, PANEL.weights @ values, strict=True):
        assert abs(float(opened.values[row]) - right) <= 0.0005 + 1e-4


def test_both_are_kept_as_they_came_in_the_name_of_the_patient(twin: Gateway, patient: str) -> None:
    features, _ = Vault(PANEL).seal(np.zeros(len(PANEL.features)))
    _, told = ask(twin, patient, parameters(features))
    for name, data in (("vector", features.sealed_vector), ("sums", base64.b64decode(told["sums"]))):
        kept = twin.http.get(f"/fhir/{told[f'{name}-kept']['reference']}").json
        assert kept is not None
        assert kept["securityContext"] == {"reference": f"Patient/{patient}"}
        assert base64.b64decode(kept["data"]) == data
        assert kept["contentType"] == (
            f"application/vnd.fhirtwin.sealed; kind={name}; profile=P1-mask; panel={PANEL.digest}; "
            f"request={features.request_id.hex()}"
        )


def test_the_gateways_own_vault_cannot_open_them(twin: Gateway, patient: str) -> None:
    features, _ = Vault(PANEL).seal(np.zeros(len(PANEL.features)))
    _, told = ask(twin, patient, parameters(features))
    own = Vault(PANEL)
    for kept in (told["sums"], base64.b64encode(features.sealed_vector).decode()):
        mine, opening = own.seal(np.zeros(len(PANEL.features)))
        answer = SealedScores(mine.profile, mine.panel_digest, mine.request_id, base64.b64decode(kept))
        with pytest.raises(EngineAnswerWrong):
            own.open(answer, opening)


def test_nothing_is_kept_when_that_is_said(twin: Gateway, patient: str) -> None:
    features, _ = Vault(PANEL).seal(np.zeros(len(PANEL.features)))
    status, told = ask(twin, patient, parameters(features, keep={"valueBoolean": False}))
    assert status == 200 and set(told) == {"request", "sums", "engine"}
    assert binaries(twin) == 0


@pytest.mark.parametrize("name", ["key", "secret-key", "evaluation-keys", "public-key"])
def test_a_key_is_not_taken(twin: Gateway, patient: str, name: str) -> None:
    features, _ = Vault(PANEL).seal(np.zeros(len(PANEL.features)))
    status, issue = ask(twin, patient, parameters(features, **{name: {"valueBase64Binary": "AAAA"}}))
    assert status == 400 and f"no parameter {name}" in issue["diagnostics"]
    assert twin.courier.sent == []


@pytest.mark.parametrize(
    ("changes", "status", "says"),
    [
        ({"vector": {"valueBase64Binary": "AAAA"}}, 400, "exactly 65649 bytes"),
        ({"vector": {"valueBase64Binary": base64.b64encode(bytes(65650)).decode()}}, 400, "exactly 65649 bytes"),
        ({"vector": None}, 400, "needs the parameter `vector`"),
        ({"request": {"valueString": "00"}}, 400, "32 hexadecimal digits"),
        ({"request": {"valueString": "Z" * 32}}, 400, "hexadecimal"),
        ({"profile": {"valueCode": "P1-rot"}}, 400, "P1-mask"),
        ({"profile": {"valueCode": "P1-batch"}}, 400, "P1-mask"),
        ({"panel": {"valueString": "00" * 32}}, 409, "another panel"),
    ],
)
def test_what_does_not_fit_is_refused_before_the_engine_is_asked(
    twin: Gateway, patient: str, changes: Json, status: int, says: str
) -> None:
    features, _ = Vault(PANEL).seal(np.zeros(len(PANEL.features)))
    got, issue = ask(twin, patient, parameters(features, **changes))
    assert got == status and says in issue["diagnostics"]
    assert twin.courier.sent == [] and binaries(twin) == 0


def test_it_is_not_there_for_nobody(twin: Gateway) -> None:
    features, _ = Vault(PANEL).seal(np.zeros(len(PANEL.features)))
    assert ask(twin, "nobody", parameters(features))[0] == 404
    assert twin.courier.sent == []


def test_an_engine_that_fails_leaves_nothing_behind(twin: Gateway, patient: str) -> None:
    features, _ = Vault(PANEL).seal(np.zeros(len(PANEL.features)))
    twin.courier.fails = EngineUnavailable("late")
    assert ask(twin, patient, parameters(features))[0] == 503
    assert binaries(twin) == 0


def test_an_engine_in_quarantine_is_not_asked(twin: Gateway, patient: str) -> None:
    twin.courier.fails = EngineAnswerWrong("wrong")
    assert twin.http.get(f"/fhir/Patient/{patient}/$assess?date=2026-06-01").status_code == 503
    twin.courier.fails = None
    asked = len(twin.courier.sent)
    features, _ = Vault(PANEL).seal(np.zeros(len(PANEL.features)))
    status, issue = ask(twin, patient, parameters(features))
    assert status == 503 and "quarantine" in issue["diagnostics"]
    assert len(twin.courier.sent) == asked


def test_who_may_not_write_may_ask_without_keeping(twin: Gateway, patient: str) -> None:
    twin.caller = Caller("reader", frozenset({"operation", "read"}))
    features, _ = Vault(PANEL).seal(np.zeros(len(PANEL.features)))
    assert ask(twin, patient, parameters(features))[0] == 403
    assert ask(twin, patient, parameters(features, keep={"valueBoolean": False}))[0] == 200
