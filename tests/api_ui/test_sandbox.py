"""What the pages show and send, without a browser."""

from __future__ import annotations

import html
import json
import re
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fhirtwin import keyfile
from fhirtwin.access import LOCAL_TOKEN, Caller
from fhirtwin.api import guard
from fhirtwin.report import cards
from fhirtwin.report.identity import identity
from fhirtwin.report.risk_assessment import risk_assessment
from fhirtwin.twin.state import PatientKey
from tests.api_ui.pages import CARD, HOST, REASONS, SUGGESTION, Sandbox, card, hidden, request_text, sandbox
from tests.report.builders import facts, occasion, refusal, result, state

VIEW = "/sandbox/patient/{}/view/patient-view"
SIGN = "/sandbox/patient/{}/orders/order-sign"


def problem(patient: str, text: str) -> dict[str, Any]:
    return {"resourceType": "Condition", "subject": {"reference": f"Patient/{patient}"}, "code": {"text": text}}


def test_patients_are_found_by_the_beginning_of_a_name(page: Sandbox) -> None:
    page.patient("Keller")
    page.patient("Abegg")
    everybody = page.http.get("/sandbox").text
    assert everybody.index("Maria Abegg") < everybody.index("Maria Keller")
    assert "2 patients" in everybody
    found = page.http.get("/sandbox?name=kel").text
    assert "Maria Keller" in found and "Abegg" not in found and "1 patient " in found
    assert "Nobody here" in page.http.get("/sandbox?name=zzz").text


def test_a_list_of_many_patients_is_paged_and_names_each_once(page: Sandbox) -> None:
    for number in range(45):
        page.patient(f"Family{number:02}")
    seen: list[str] = []
    at = "/sandbox?name=Family"
    for _ in range(3):
        shown = page.http.get(at)
        seen += re.findall(r">Maria (Family\d\d)<", shown.text)
        following = re.search(r'href="([^"]+)">Next page', shown.text)
        at = following[1].replace("&amp;", "&") if following else ""
    assert at == ""
    assert seen == [f"Family{number:02}" for number in range(45)]


def test_a_patient_is_listed_who_is_nested_as_deep_as_may_be(page: Sandbox) -> None:
    """The Bundle that they are found in is deeper."""
    inner: dict[str, Any] = {"url": "http://x.test", "valueString": "x"}
    for _ in range(30):
        inner = {"url": "http://x.test", "extension": [inner]}
    page.patient("Keller", extension=[inner])
    assert "Maria Keller" in page.http.get("/sandbox").text


@pytest.mark.parametrize("name", ["a,b", "a\\", "$|", "<script>", "'; --", "%", "_", "\x00", "a" * 5000])
def test_whatever_is_typed_as_a_name_is_looked_for_and_never_shown_as_markup(page: Sandbox, name: str) -> None:
    answer = page.http.get("/sandbox", query_string={"name": name})
    assert answer.status_code in (200, 400)
    assert "<script>" not in answer.text


def test_each_service_is_offered_for_each_of_its_hooks(page: Sandbox) -> None:
    shown = page.http.get(f"/sandbox/patient/{page.patient()}").text
    for path in ("view/patient-view", "orders/order-select", "orders/order-sign"):
        assert f"/{path}" in shown


def test_the_prefetch_comes_whole_from_the_store_over_all_pages(page: Sandbox) -> None:
    patient = page.patient()
    for text in ("asthma", "gout", "scurvy"):
        page.create(problem(patient, text))
    page.create(problem(page.patient("Other"), "malaria"))
    sent = json.loads(request_text(page.http.get(VIEW.format(patient))))
    assert sent["prefetch"]["patient"]["id"] == patient
    found = [entry["resource"]["code"]["text"] for entry in sent["prefetch"]["problems"]["entry"]]
    assert found == ["asthma", "gout", "scurvy"]
    assert sent["context"] == {"patientId": patient, "userId": "Practitioner/example"}
    assert sent["fhirServer"] == f"{HOST}/fhir"


def test_firing_calls_the_service_through_its_door_and_shows_the_cards(page: Sandbox) -> None:
    patient = page.patient()
    page.says = [card()]
    shown = page.fire(VIEW.format(patient)).text
    (call,) = page.calls
    assert (call.hook, call.patient.id) == ("patient-view", patient)
    for text in ("Creatinine is missing", "Warning", "<strong>Order</strong> it &amp; see.", "1 card", "200 OK"):
        assert text in shown
    for text in ("Order creatinine", "recommended", "&#34;ServiceRequest&#34;", "Will do it later", "Read more"):
        assert text in shown
    assert 'href="https://guideline.example/1"' in shown
    assert "not launched from here" in shown
    assert "X-Request-Id" in shown


def test_what_the_cards_of_risks_suggest_is_a_button_each_with_what_an_ehr_would_write(page: Sandbox) -> None:
    whose = state(PatientKey("https://ehr.example/fhir", "4711"), facts("https://ehr.example/fhir"))
    found, when = result(whose), occasion(whose)
    who = identity(found.vector, when)
    risk = cards.risk_card(found, who, when, resource=risk_assessment(found, who, when), stored=True)
    bare = refusal(state(None, facts(uacr=None)), "kfre-4-variable")
    page.says = [risk, cards.not_calculated_card([bare], occasion())]
    fired = page.fire(VIEW.format(page.patient())).text
    buttons = re.findall(r'<button name="act" value="accepted [^"]+"[^>]*>([^<]+)</button>', fired)
    assert buttons == ["File this risk in the record", "Order urine albumin-creatinine ratio"]
    for text in ("&#34;RiskAssessment&#34;", "&#34;probabilityDecimal&#34;: 9.2", "&#34;ServiceRequest&#34;", "9318-7"):
        assert text in fired


def test_a_service_without_anything_to_say_is_told_apart_from_one_that_failed(page: Sandbox) -> None:
    path = VIEW.format(page.patient())
    assert "The service has nothing to say" in page.fire(path).text
    page.says = [{"summary": ""}]
    failed = page.fire(path).text
    assert "500 INTERNAL SERVER ERROR" in failed
    assert "nothing to say</" not in failed and "No advice was given" in failed


def test_a_request_that_was_changed_is_sent_as_it_was_changed(page: Sandbox) -> None:
    path = VIEW.format(page.patient())
    broken = page.fire(path, "{ not JSON </textarea><script>")
    assert "400 BAD REQUEST" in broken.text
    assert "<script>" not in broken.text
    assert request_text(broken) == "{ not JSON </textarea><script>"
    changed = json.loads(request_text(page.http.get(path)))
    del changed["prefetch"]["patient"]
    refused = page.fire(path, json.dumps(changed)).text
    assert "412 PRECONDITION FAILED" in refused and "<code>prefetch.patient</code>" in refused
    assert page.calls == []


def test_a_draft_order_is_offered_and_can_be_another_medicine(page: Sandbox) -> None:
    path = SIGN.format(page.patient())
    first = page.http.get(path)
    assert "metformin" in request_text(first)
    other = page.http.get(path, query_string={"code": "105585", "display": "methotrexate 2.5 MG Oral Tablet"})
    order = json.loads(request_text(other))["context"]["draftOrders"]["entry"][0]["resource"]
    assert order["status"] == "draft"
    assert order["medicationCodeableConcept"]["coding"][0]["code"] == "105585"
    fired = page.fire(f"{path}?code=105585")
    assert 'value="105585"' in fired.text and 'value="860975"' not in fired.text
    assert "Draft order" not in page.http.get(VIEW.format(page.patient())).text


@pytest.mark.parametrize("hook", ["order-select", "order-sign"])
def test_the_request_of_a_hook_with_drafts_is_taken_by_its_door(page: Sandbox, hook: str) -> None:
    page.fire(f"/sandbox/patient/{page.patient()}/orders/{hook}")
    (call,) = page.calls
    assert call.context.draft_orders[0]["resourceType"] == "MedicationRequest"  # type: ignore[attr-defined]


def press(page: Sandbox, act: str, **fields: str) -> tuple[str, str]:
    """Fire a card and press one of its buttons; its uuid, for which `CARD` stands, and the page that comes."""
    path = VIEW.format(page.patient())
    page.says = [card()]
    fired = page.fire(path)
    found = re.search(r'value="overridden ([^"]+)"', fired.text)
    assert found
    form = {name: hidden(fired, name) for name in ("token", "request", "response")}
    form |= {name.replace(CARD, found[1]): value for name, value in {"act": act, **fields}.items()}
    form["act"] = form["act"].replace(CARD, found[1])
    return found[1], page.http.post(f"{path}/feedback", data=form, headers={"Origin": HOST}).text


def told(shown: str) -> dict[str, Any]:
    """The item of the feedback that the page says it sent."""
    found = re.search(r"<summary>Request body</summary><pre[^>]*>(.*?)</pre>", shown, re.S)
    assert found
    (item,) = json.loads(html.unescape(found[1]))["feedback"]
    return dict(item)


def test_accepting_a_suggestion_is_told_to_the_service_and_marked_on_the_card(page: Sandbox) -> None:
    uuid, shown = press(page, f"accepted {CARD} {SUGGESTION}")
    item = told(shown)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", item.pop("outcomeTimestamp"))
    assert item == {"card": uuid, "outcome": "accepted", "acceptedSuggestions": [{"id": SUGGESTION}]}
    assert "The feedback was kept" in shown and '<span class="told">accepted</span>' in shown


def test_overriding_tells_the_reason_as_the_card_offered_it_and_the_comment(page: Sandbox) -> None:
    _, shown = press(page, f"overridden {CARD}", **{f"reason-{CARD}": "1", f"comment-{CARD}": " on Monday "})
    item = told(shown)
    assert item["outcome"] == "overridden"
    assert item["overrideReason"] == {"reason": REASONS[1], "userComment": "on Monday"}
    assert "The feedback was kept" in shown


def test_a_card_that_was_overridden_without_a_reason_is_held_back_when_the_hook_fires_again(page: Sandbox) -> None:
    patient = page.patient()
    page.says = [card()]
    fired = page.fire(VIEW.format(patient))
    act = re.search(r'value="(overridden [^"]+)"', fired.text)
    assert act
    form = {name: hidden(fired, name) for name in ("token", "request", "response")} | {"act": act[1]}
    kept = page.http.post(f"{VIEW.format(patient)}/feedback", data=form, headers={"Origin": HOST}).text
    assert "overrideReason" not in told(kept)
    again = page.fire(VIEW.format(patient)).text
    assert "No card is shown" in again and "1 held back" in again and "org.fhirtwin.quietened" in again


def test_feedback_that_is_refused_is_not_shown_as_kept(page: Sandbox) -> None:
    _, shown = press(page, "overridden 4e0a3a1e-0000-4000-8000-028d55fe2719")
    assert "The feedback was not kept (422" in shown and 'class="told"' not in shown


@pytest.mark.parametrize("act", ["", "accepted", f"accepted {CARD}", "deleted x", "overridden ", "accepted a b c"])
def test_a_button_that_is_not_ours_is_refused(page: Sandbox, act: str) -> None:
    assert "Press one of the buttons" in press(page, act)[1]


@pytest.mark.parametrize("response", ["", "[]", "{", '{"cards": 7}', '{"cards": [7, {"suggestions": {}}]}'])
def test_an_answer_that_was_meddled_with_is_shown_as_far_as_it_can_be(page: Sandbox, response: str) -> None:
    assert "The feedback was kept" in press(page, f"overridden {CARD}", response=response)[1]


@pytest.fixture
def closed(tmp_path: Path) -> Iterator[Sandbox]:
    """A sandbox of a server that wants its token."""
    made = sandbox(tmp_path, open=False)
    yield made
    made.parts.store.close()


PAGES = ("/sandbox", "/sandbox/patient/1", "/sandbox/patient/1/view/patient-view")


def basic(password: str) -> str:
    return "Basic " + b64encode(f"anybody:{password}".encode()).decode()


@pytest.mark.parametrize("path", [*PAGES, "/sandbox/static/sandbox.css"])
def test_the_pages_are_not_there_for_who_does_not_sign_in(closed: Sandbox, path: str) -> None:
    for given in ({}, {"Authorization": "Bearer x"}, {"Authorization": basic("x")}, {"Authorization": basic("")}):
        answer = closed.http.get(path, headers=given)
        assert answer.status_code == 401
        assert answer.data == closed.http.get("/nowhere").data
        assert [one.split()[0] for one in answer.headers.getlist("WWW-Authenticate")] == ["Bearer", "Basic"]


def test_the_pages_are_not_there_for_who_does_not_run_the_server(
    closed: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = {"Authorization": f"Bearer {keyfile.read(closed.parts.settings.token_path)}"}
    monkeypatch.setattr(guard, "LOCAL_TOKEN", Caller("somebody", LOCAL_TOKEN.may))
    for path in PAGES:
        assert closed.http.get(path, headers=token).status_code == 403
    assert closed.http.post(PAGES[-1], headers=token).status_code == 403


@pytest.mark.parametrize("path", ["/fhir/Patient", "/fhir/metadata", "/cds-services", "/metrics", "/sandboxes"])
def test_the_token_is_a_password_for_the_pages_alone(closed: Sandbox, path: str) -> None:
    given = {"Authorization": basic(keyfile.read(closed.parts.settings.token_path))}
    answer = closed.http.get(path, headers=given)
    assert answer.status_code == 401
    assert answer.headers.getlist("WWW-Authenticate") == ["Bearer"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/sandbox/patient/none", 404),
        ("/sandbox/patient/{}/none/patient-view", 404),
        ("/sandbox/patient/{}/view/order-sign", 404),
        ("/sandbox/nowhere", 404),
        ("/sandbox?page=x", 400),
    ],
)
def test_what_is_not_there_is_told_so(page: Sandbox, path: str, status: int) -> None:
    assert page.http.get(path.format(page.patient())).status_code == status
