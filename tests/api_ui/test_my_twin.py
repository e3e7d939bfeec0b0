"""The page of a patient who holds the key, without a browser: what it is served with, and what goes through it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask import Flask, g
from flask.testing import FlaskClient

from fhirtwin import keyfile
from fhirtwin.access import Caller
from fhirtwin.api import admission, errors, guard
from fhirtwin.api.cds.trust.sign_in import SignIn
from fhirtwin.api.fhir import routes as fhir
from fhirtwin.api.ui import bundle, my_twin
from fhirtwin.interactions.context import Services
from fhirtwin.predictors import registry
from fhirtwin.predictors.described import SENDS
from fhirtwin.relay import Relay
from fhirtwin.settings import Settings
from fhirtwin.store import Store
from fhirtwin.vault import Vault
from tests.conftest import ROOT
from tests.gateway_in_process import Beside, assessor
from tests.sealing import PANEL, parameters

HOST = "http://localhost"
OURS = {"Origin": HOST, "Content-Type": "application/fhir+json"}
FILES = {
    "page.js": "let x;",
    "predictors/prevent-base.js": "let y;",
    "node-seal/seal.wasm": "\0asm",
    "LICENSE.txt": "MIT",
}


def application(folder: Path, **settings: Any) -> tuple[Flask, Services]:
    keyfile.read_or_make(folder / "token")
    chosen = Settings(**{"data": folder, "base_url": f"{HOST}/fhir", "open": True, **settings})
    courier = Beside()
    parts = Services(chosen, Store.open(chosen), assessor(courier, chosen), relay=Relay(PANEL, courier.evaluate))
    app = Flask("test", static_folder=None)
    app.url_map.strict_slashes = False
    guard.install(app, chosen, SignIn.open(chosen))
    admission.install(app, chosen.max_concurrent_requests)
    errors.install(app)
    app.register_blueprint(fhir.blueprint(parts), url_prefix="/fhir")
    app.register_blueprint(my_twin.blueprint(parts), url_prefix="/my-twin")
    return app, parts


@pytest.fixture
def http(tmp_path: Path) -> Iterator[FlaskClient]:
    app, parts = application(tmp_path)
    yield app.test_client()
    parts.store.close()


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> bundle.Bundle:
    """A build of small files."""
    folder = tmp_path / "built"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "manifest.json").write_text(json.dumps({"digest": "d1", "files": dict.fromkeys(FILES, "")}))
    found = bundle.find(folder)
    assert found
    monkeypatch.setattr(bundle, "find", lambda: found)
    return found


def patient(http: FlaskClient) -> str:
    answer = http.post("/fhir/Patient", json={"resourceType": "Patient", "name": [{"text": "<b>Eve</b>"}]})
    return str(answer.headers["Location"].split("Patient/")[1].split("/")[0])


def message() -> dict[str, Any]:
    features, _ = Vault(PANEL).seal(np.zeros(len(PANEL.features)))
    return parameters(features)


def test_without_a_build_the_page_says_how_to_make_one(http: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "find", lambda: None)
    page = http.get(f"/my-twin/patient/{patient(http)}")
    assert page.status_code == 200 and "<form" not in page.text
    commands = re.findall(r"npm --prefix (\S+)", page.text)
    assert commands and all((ROOT / folder / "package-lock.json").is_file() for folder in commands)


@pytest.mark.usefixtures("built")
def test_the_page_asks_for_every_input_and_rule_once_and_sends_no_form(http: FlaskClient) -> None:
    page = http.get(f"/my-twin/patient/{patient(http)}").text
    asked = re.findall(r'data-fact="([^"]+)"', page)
    (prevent,) = [one for one in registry.all_predictors() if one.id == "prevent-base"]
    wanted = [one.fact for one in (*prevent.inputs, *prevent.rules) if one.fact != "deceased"]
    assert sorted(asked) == sorted(wanted)
    form = page[page.index("<form") : page.index("</form>")]
    assert " name=" not in form and " action=" not in form and " method=" not in form
    assert "<b>Eve" not in page


@pytest.mark.usefixtures("built")
def test_the_model_of_the_page_is_the_panel_of_the_engine_and_asks_for_a_sealed_vector_alone(http: FlaskClient) -> None:
    page = http.get(f"/my-twin/patient/{patient(http)}").text
    found = re.search(r'<script type="application/json" id="model">(.*?)</script>', page)
    assert found
    model = json.loads(found[1])
    assert model["digest"] == PANEL.digest and model["sends"] == list(SENDS) == ["vector"]
    assert model["panel"]["weights"] == PANEL.weights.tolist()
    assert [one["id"] for one in model["predictors"]] == ["prevent-base"]


def test_scripts_are_kept_under_the_address_of_their_build(http: FlaskClient, built: bundle.Bundle) -> None:
    page = http.get(f"/my-twin/patient/{patient(http)}").text
    assert '<script type="module" src="/my-twin/bundle/d1/page.js">' in page
    answer = http.get("/my-twin/bundle/d1/page.js")
    assert answer.text == "let x;" and answer.mimetype == "text/javascript"
    assert "immutable" in answer.headers["Cache-Control"]
    assert http.get("/my-twin/bundle/d1/node-seal/seal.wasm").mimetype == "application/wasm"


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("path", ["d0/page.js", "d1/manifest.json", "d1/other.js", "d1/../page.js", "d1/%2e%2e/token"])
def test_nothing_but_the_files_of_the_build_is_given(http: FlaskClient, path: str) -> None:
    assert http.get(f"/my-twin/bundle/{path}").status_code == 404


@pytest.mark.parametrize("text", ["", "{", "[]", '{"digest": 1}', '{"digest": "d", "files": ["gone.js"]}'])
def test_a_build_that_was_cut_short_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    assert bundle.find(tmp_path) is None


@pytest.mark.usefixtures("built")
def test_a_sealed_vector_goes_through_and_what_was_kept_comes_back(http: FlaskClient) -> None:
    who = patient(http)
    answer = http.post(f"/my-twin/patient/{who}/sealed", json=message(), headers=OURS)
    assert answer.status_code == 200, answer.text
    told = {one["name"]: one for one in answer.json["parameter"]}  # type: ignore[index]
    reference = told["sums-kept"]["valueReference"]["reference"].removeprefix("Binary/")
    kept = http.get(f"/my-twin/patient/{who}/kept/{reference}")
    assert kept.json and kept.json["data"] == told["sums"]["valueBase64Binary"]
    assert http.get(f"/my-twin/patient/{patient(http)}/kept/{reference}").status_code == 404


def test_nothing_else_is_given_as_kept(http: FlaskClient) -> None:
    who = patient(http)
    data = {"resourceType": "Binary", "contentType": "text/plain", "data": "AAAA"}
    data["securityContext"] = {"reference": f"Patient/{who}"}  # type: ignore[assignment]
    made = http.post("/fhir/Binary", json=data).headers["Location"].split("Binary/")[1].split("/")[0]
    assert http.get(f"/my-twin/patient/{who}/kept/{made}").status_code == 404


@pytest.mark.parametrize(
    "headers", [{}, {"Origin": "https://evil.example"}, {"Origin": HOST, "Sec-Fetch-Site": "cross-site"}]
)
def test_pages_of_other_sites_send_nothing_here(http: FlaskClient, headers: dict[str, str]) -> None:
    sent = {"Content-Type": "application/fhir+json", **headers}
    assert http.post(f"/my-twin/patient/{patient(http)}/sealed", json=message(), headers=sent).status_code == 403


def test_a_closed_server_wants_its_token_as_a_password(tmp_path: Path) -> None:
    app, parts = application(tmp_path, open=False)
    http, token = app.test_client(), (tmp_path / "token").read_text().strip()
    refused = http.get("/my-twin")
    assert refused.status_code == 401 and "Basic" in refused.headers.get_all("WWW-Authenticate")[1]
    assert http.get("/my-twin", auth=("", token)).status_code == 200
    parts.store.close()


def test_who_does_not_run_the_server_is_told_so(tmp_path: Path) -> None:
    app, parts = application(tmp_path)

    @app.before_request
    def somebody() -> None:
        g.caller = Caller("somebody", frozenset({"read", "operation"}))

    assert app.test_client().get("/my-twin").status_code == 403
    parts.store.close()


def test_a_server_without_an_engine_says_so(tmp_path: Path, built: bundle.Bundle) -> None:
    _, parts = application(tmp_path)
    alone = Flask("alone", static_folder=None)
    guard.install(alone, parts.settings, SignIn.open(parts.settings))
    alone.register_blueprint(fhir.blueprint(parts), url_prefix="/fhir")
    alone.register_blueprint(my_twin.blueprint(replace(parts, relay=None)), url_prefix="/my-twin")
    http = alone.test_client()
    page = http.get(f"/my-twin/patient/{patient(http)}")
    assert page.status_code == 503 and "without an engine" in page.text
    parts.store.close()


def test_the_first_page_lists_patients(http: FlaskClient) -> None:
    who = patient(http)
    assert f"/my-twin/patient/{who}" in http.get("/my-twin").text
    assert http.get("/my-twin/patient/nobody").status_code == 404
