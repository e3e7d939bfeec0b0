"""Requests that others published: what is clean is answered in strict mode, what is sloppy in lenient mode.

A service for each hook stands ready; half of them ask for prefetch that nobody sends, so both 200 and 412 are seen.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fhirtwin.api.cds.calls import lenient
from fhirtwin.api.cds.hooks import HOOKS
from fhirtwin.api.cds.service import Response
from fhirtwin.intake.templates import Template
from tests.api_cds.door import CARD, Door, door, service

INSTANCE = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"

REFUSED_EVEN_LENIENTLY = {
    "davinci-crd-ig/input__resources__CRDServiceRequest.json": (
        422,
        ("context.draftOrders.entry[0]", "is not shown to be about the patient of `context.patientId`"),
    ),
    "davinci-crd-ig/input__resources__CRDServiceRequest4.json": (
        422,
        ("context.appointments.entry[0]", "names a patient who is not the one of `context.patientId`"),
    ),
    "hapi/ASLPCrdServiceRequest.json": (
        422,
        ("context.draftOrders.entry[0]", "is not shown to be about the patient of `context.patientId`"),
    ),
    "spec-2.0/08_request.json": (400, ("context.patientId", "must be the id of a Patient")),
    "spec-3.0-ballot/11_request.json": (400, ("context.patientId", "must be the id of a Patient")),
}
"""Of whom they speak would be a guess, so no mode makes advice of them; the place and the reason that are told.

The first two lend access to one server and refer to a patient of the same id on another; the third calls about one
patient and orders for another; the last two name none.
"""

OF_ANOTHER_VERSION = {
    "hook-library/allergyintolerance-create_1.context.json": "context.allergyIntolerance",
    "hook-library/medication-verify_2.context.json": "context.medication",
    "hook-library/medication-verify_3.context.json": "context.medication",
}
"""The one resource has the shape of DSTU2 or STU3: all that can be said of it is that it was not judged."""

SLOPPY = {
    "hook-library/allergyintolerance-create": "the one allergy has the shape of STU3",
    "davinci-crd-ri": "null authorization, no user in the context, orders without `intent`",
    "fhir-test-cases/validator__cdshooks__cdshooks-request-order-select-bad.json": "typed ids, bare selections",
    "fhir-test-cases/validator__cdshooks__cdshooks-request-order-sign-bad-2.json": "typed ids",
    "fhir-test-cases/validator__cdshooks__cdshooks-request-patient-view-bad.json": "typed ids",
    "inferno-crd/preset_ri_crd_server_order_dispatch_request_bodies_0.json": "the instance is no UUID",
    "inferno-crd/spec__fixtures__order": "orders without `intent`, and an object where R4 has an array",
    "hook-library/appointment-book": "dates that are none",
    "hook-library/medication-": "shapes of STU3 and DSTU2, a member by another name",
    "hook-library/order-select": "orders without `intent`, shapes of STU3 and DSTU2",
    "hook-library/order-sign": "orders without `intent`, shapes of DSTU2",
    "hook-library/problem-list-item-create": "shapes of STU3 and DSTU2",
}
"""What breaks a rule of CDS Hooks or of R4, by the beginning of its path."""


def requests(shared: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    folder = shared / "data" / "cds-hooks" / "requests"
    for path in sorted(folder.glob("*/*.json")):
        sent, name = json.loads(path.read_text()), str(path.relative_to(folder))
        hook = path.name.rsplit("_", 1)[0]
        if name.endswith(".context.json") and hook in HOOKS:
            sent = {"hook": hook, "hookInstance": INSTANCE, "context": sent["context"]}
        if isinstance(sent, dict) and "hook" in sent and "context" in sent:
            yield name, sent


@pytest.fixture(params=["", "all"])
def made(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Door]:
    template = {"nobodys": Template("Patient/{{context.patientId}}")}
    services = [
        service(lambda _: Response([CARD]), id=f"{hook}{more}", hooks=(hook,), prefetch=template if more else {})
        for hook in HOOKS
        for more in ("", "-more")
    ]
    opened = door(tmp_path, *services, cds_lenient=request.param)
    yield opened
    opened.parts.store.close()


def test_public_requests(made: Door, shared: Path) -> None:
    statuses: Counter[int] = Counter()
    strict = made.parts.settings.cds_lenient == ""
    for name, sent in requests(shared):
        plain, more = (made.call(sent, f"{sent['hook']}{kind}") for kind in ("", "-more"))
        statuses[plain.status_code] += 1
        if name in REFUSED_EVEN_LENIENTLY:
            _assert_refused(plain, name, strict=strict)
        elif strict and name.startswith(tuple(SLOPPY)):
            assert plain.status_code == 400, (name, plain.text)
        else:
            assert (plain.status_code, more.status_code) == (200, 412), (name, plain.text, more.text)
        for answer in (plain, more):
            assert answer.status_code == 200 or answer.json["resourceType"] == "OperationOutcome"
    assert statuses[200] >= (25 if strict else 48), statuses
    assert strict or statuses[400] + statuses[422] == len(REFUSED_EVEN_LENIENTLY), statuses


def _assert_refused(answer: Any, name: str, *, strict: bool) -> None:
    status, (place, reason) = REFUSED_EVEN_LENIENTLY[name]
    assert answer.status_code in ({400, 422} if strict else {status}), (name, answer.text)
    issues = [(issue.get("expression"), issue["diagnostics"]) for issue in answer.json["issue"]]
    assert strict or any(where == [place] and reason in text for where, text in issues), (name, issues)


@pytest.mark.parametrize("made", ["all"], indirect=True)
def test_what_is_set_aside_is_told_on_a_card(made: Door, shared: Path) -> None:
    told = 0
    for name, sent in requests(shared):
        answer = made.call(sent, sent["hook"])
        if answer.status_code == 200 and len(answer.json["cards"]) > 1:
            told += 1
            assert_says_not_valid(answer.json["cards"][1], "entry")
        elif name in OF_ANOTHER_VERSION:
            assert_says_not_valid(answer.json["cards"][0], OF_ANOTHER_VERSION[name])
    assert told >= 8


def assert_says_not_valid(card: dict[str, Any], place: str) -> None:
    assert card["indicator"] == "warning" and "not valid" in card["summary"]
    assert place in card["detail"]


def test_every_leniency_is_needed_by_somebody_or_tested_by_itself() -> None:
    from tests.api_cds.calls.test_lenient import CASES

    assert {name for name, _, _ in CASES} | {lenient.SET_ASIDE} == {one.name for one in lenient.LENIENCIES}
