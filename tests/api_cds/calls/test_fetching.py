from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from fhirtwin.api.cds.calls import fetching
from fhirtwin.api.cds.service import Call, Response
from fhirtwin.errors import Incorrect, OutboundFailed
from fhirtwin.intake.templates import Template
from fhirtwin.outbound import Allowed, Outbound
from fhirtwin.settings import Settings
from tests.api_cds.door import AUTHORIZATION, EHR, Door, Pretended, body, door, service
from tests.intake.builders import bundle, condition, failed, observation, person
from tests.outbound import test_vectors
from tests.outbound.servers import Network, ok, raw
from tests.outbound.test_vectors import OFF_THE_LIST

TEMPLATES = {
    "patient": Template("Patient/{{context.patientId}}"),
    "conditions": Template("Condition?patient={{context.patientId}}&_count=100"),
    "recent": Template("Observation?patient={{context.patientId}}&date=ge{{today() - 90 days}}"),
    "user": Template(
        "{{context.userId}}".replace("{{context.userId}}", "Practitioner/{{userPractitionerId}}"), required=False
    ),
    "encounter": Template("Encounter/{{context.encounterId}}", required=False),
}
PAGE_2 = "Condition?page=2"
ALL = {
    "Patient/p1": person(),
    "Condition?patient=p1&_count=100": bundle(condition("c1"), link=[{"relation": "next", "url": f"{EHR}/{PAGE_2}"}]),
    PAGE_2: bundle(condition("c2")),
    "Observation?patient=p1&date=ge2026-03-03": bundle(observation()),
    "Practitioner/p": {"resourceType": "Practitioner", "id": "p"},
}


class Site:
    """A door with one service that remembers what it was given."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.doors = folder, list[Door]()
        self.given: list[Call] = []

    def handler(self, call: Call) -> Response:
        self.given.append(call)
        return Response()

    def __call__(self, ehr: Pretended | None, **settings: Any) -> Callable[..., Any]:
        made = door(self.folder, service(self.handler, prefetch=TEMPLATES), outbound=ehr, **settings)
        self.doors.append(made)
        object.__setattr__(made.parts, "today", lambda: date(2026, 6, 1))

        def call(**changes: Any) -> Any:
            return made.call(body(**{"fhirServer": EHR, "fhirAuthorization": AUTHORIZATION, **changes}))

        return call


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    for each in made.doors:
        each.parts.store.close()


def why(answer: Any, status: int = 412) -> dict[str, str]:
    assert answer.status_code == status, answer.text
    assert "opaque-secret" not in answer.text
    return {issue["expression"][0]: issue["diagnostics"] for issue in answer.json["issue"]}


@pytest.mark.conforms("cds-hooks_2.0@61")
def test_what_is_missing_is_fetched_with_the_token_and_every_page(site: Site) -> None:
    ehr = Pretended(ALL)
    assert site(ehr)().status_code == 200
    (call,) = site.given
    assert {(source.type, source.id) for source, _ in call.prefetched.resources} == {
        ("Patient", "p1"),
        ("Condition", "c1"),
        ("Condition", "c2"),
        ("Observation", "o1"),
    }
    assert all(source.origin == EHR for source, _ in call.prefetched.resources)
    assert call.prefetched.lists == {"Condition"}
    assert all(headers["Authorization"] == "Bearer opaque-secret" for _, headers in ehr.asked)
    assert {headers["Accept"] for _, headers in ehr.asked} == {"application/fhir+json"}


def test_what_the_client_brought_is_not_fetched(site: Site) -> None:
    ehr = Pretended(ALL)
    given = {"patient": person(), "conditions": None, "recent": bundle()}
    assert site(ehr)(prefetch=given).status_code == 200
    assert [url for url, _ in ehr.asked] == [f"{EHR}/Practitioner/p"]


def test_a_first_page_is_continued_from_its_own_next_link(site: Site) -> None:
    ehr = Pretended(ALL)
    first = bundle(condition("c9"), link=[{"relation": "next", "url": PAGE_2}], total=2)
    assert site(ehr)(prefetch={"patient": person(), "conditions": first, "recent": bundle()}).status_code == 200
    assert {source.id for source, _ in site.given[0].prefetched.resources} == {"p1", "c9", "c2"}
    assert f"{EHR}/Condition?patient=p1&_count=100" not in [url for url, _ in ehr.asked]


@pytest.mark.parametrize("begun", [failed(), bundle(condition(), total=7), bundle(condition(), failed())])
def test_what_failed_or_is_a_part_without_a_next_page_is_asked_for_anew(site: Site, begun: dict[str, Any]) -> None:
    ehr = Pretended(ALL)
    assert site(ehr)(prefetch={"patient": person(), "conditions": begun, "recent": bundle()}).status_code == 200
    assert {source.id for source, _ in site.given[0].prefetched.resources} == {"p1", "c1", "c2"}


def test_a_client_that_says_null_has_looked_and_is_not_asked_again(site: Site) -> None:
    ehr = Pretended(ALL)
    found = why(site(ehr)(prefetch={"patient": None, "conditions": None, "recent": None}))
    assert list(found) == ["prefetch.patient"]
    assert not any("Patient/" in url for url, _ in ehr.asked)


def test_without_a_token_it_is_asked_for_without_one(site: Site) -> None:
    ehr = Pretended(ALL)
    assert site(ehr)(fhirAuthorization=...).status_code == 200
    assert not any("Authorization" in headers for _, headers in ehr.asked)


@pytest.mark.conforms("cds-hooks_2.0@54")
@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (401, "status 401"),
        (403, "did not allow it"),
        (404, "status 404"),
        (302, "status 302"),
        (b"<html>", "not JSON"),
        (b"", "not JSON"),
        (b"[]", "not JSON"),
        (b'{"resourceType": "Bundle", "resourceType": "Bundle", "type": "searchset"}', "not JSON"),
        (failed(), "OperationOutcome"),
        (bundle(condition(), failed()), "OperationOutcome"),
        (bundle(condition(), total=2), "fewer matches"),
        (person(), "not valid FHIR R4 at prefetch.conditions.resourceType"),
        (bundle(condition(code="x")), "not valid FHIR R4 at prefetch.conditions.entry[0].resource.code"),
        (bundle({"resourceType": "MedicationOrder"}), "not valid FHIR R4"),
        ({"resourceType": "Bundle", "type": "history"}, "not valid FHIR R4 at prefetch.conditions.type"),
        ({**bundle(), "link": [{"relation": "next", "url": PAGE_2}], "entry": 5}, "no Bundle"),
        ({**bundle(), "link": 5}, "not valid FHIR R4"),
        (bundle(link=[{"relation": "next", "url": "https://evil.example/fhir/Condition"}]), "another server"),
        (bundle(link=[{"relation": "next", "url": "http://ehr.example/fhir/Condition"}]), "another server"),
        (bundle(link=[{"relation": "next", "url": "https://ehr.example:8443/fhir/x"}]), "another server"),
        (bundle(link=[{"relation": "next", "url": "https://ehr.example@evil.example/fhir"}]), "another server"),
        (bundle(link=[{"relation": "next", "url": "//evil.example/fhir"}]), "another server"),
        (bundle(link=[{"relation": "next", "url": "file:///etc/passwd"}]), "another server"),
        (bundle(link=[{"relation": "next", "url": "Patient/p1"}]), "no Bundle"),
        (bundle(link=[{"relation": "next", "url": "https://[/"}]), "another server"),
    ],
)
def test_what_cannot_be_fetched_is_412_by_name_and_with_why(site: Site, answer: Any, says: str) -> None:
    ehr = Pretended({**ALL, "Condition?patient=p1&_count=100": answer})
    (found,) = why(site(ehr)()).items()
    assert found[0] == "prefetch.conditions"
    assert says in found[1]
    assert "Condition?patient={{context.patientId}}" in found[1]
    assert "evil.example" not in found[1]
    assert not any("evil" in url for url, _ in ehr.asked)


def test_pages_that_lead_in_a_circle_end(site: Site) -> None:
    ehr = Pretended({**ALL, PAGE_2: bundle(link=[{"relation": "next", "url": f"{EHR}/{PAGE_2}"}])})
    assert "circle" in why(site(ehr)())["prefetch.conditions"]


def test_pages_without_end_end(site: Site) -> None:
    pages = {
        f"Condition?page={n}": bundle(condition(f"c{n}"), link=[{"relation": "next", "url": f"?page={n + 1}"}])
        for n in range(2, 200)
    }
    ehr = Pretended({**ALL, **pages})
    assert "more than" in why(site(ehr)())["prefetch.conditions"]
    assert len(ehr.asked) < 60


def test_keys_are_fetched_at_the_same_time_and_nobody_waits_beyond_the_deadline(site: Site) -> None:
    together, release = threading.Barrier(3), threading.Event()

    def meet(_: float) -> Any:
        together.wait(timeout=5)
        return person()

    def hang(_: float) -> Any:
        release.wait(timeout=10)
        raise OutboundFailed("late")

    ehr = Pretended(
        {
            **ALL,
            "Patient/p1": meet,
            "Practitioner/p": lambda d: meet(d) and ALL["Practitioner/p"],
            "Observation?patient=p1&date=ge2026-03-03": lambda d: meet(d) and bundle(),
            "Condition?patient=p1&_count=100": hang,
        }
    )
    begin = time.monotonic()
    found = why(site(ehr, cds_fetch_seconds=0.5)())
    assert time.monotonic() - begin < 8
    release.set()
    assert list(found) == ["prefetch.conditions"]
    assert "in time" in found["prefetch.conditions"]


def test_a_way_out_that_fails_is_told_by_its_own_words(site: Site) -> None:
    def broken(_: float) -> Any:
        raise OutboundFailed("Another server cannot be reached.")

    found = why(site(Pretended({**ALL, "Patient/p1": broken}))())
    assert "in vain: Another server cannot be reached. Its template" in found["prefetch.patient"]


def test_nothing_is_fetched_from_a_server_that_is_not_listed(site: Site) -> None:
    ehr = Pretended(ALL, lists=())
    found = why(site(ehr)())
    assert set(found) == {"prefetch.patient", "prefetch.conditions", "prefetch.recent"}
    assert all("FHIRTWIN_FHIR_SERVERS" in text and "http counts" not in text for text in found.values())
    over_http = why(site(Pretended(ALL, lists=()))(fhirServer="http://127.0.0.1:9/fhir"))
    assert all("http counts for this machine alone, under --open" in text for text in over_http.values())
    assert ehr.asked == []


def test_without_a_list_or_a_server_the_412_says_so(site: Site) -> None:
    assert "fetches from no FHIR server" in why(site(None)())["prefetch.patient"]
    call = site(Pretended(ALL))
    assert "no `fhirServer`" in why(call(fhirServer=..., fhirAuthorization=...))["prefetch.patient"]


@pytest.mark.parametrize(
    ("path", "answer", "place"),
    [
        ("Patient/p1", person(id="p2"), "prefetch.patient"),
        (PAGE_2, bundle(condition("c2", "Patient/p2")), "prefetch.conditions.entry[1]"),
        (PAGE_2, bundle(condition("c2", "https://other.example/fhir/Patient/p1")), "prefetch.conditions.entry[1]"),
    ],
)
def test_another_patients_data_refuse_the_call_wherever_they_come_from(
    site: Site, path: str, answer: Any, place: str
) -> None:
    found = why(site(Pretended({**ALL, path: answer}))(), 422)
    assert list(found) == [place]
    assert "p2" not in json.dumps(found) and site.given == []


def test_only_ids_go_into_an_address(site: Site) -> None:
    ehr = Pretended(ALL)
    site(ehr)(context={"userId": "Practitioner/p", "patientId": "p1", "encounterId": "e.1-x"})
    assert f"{EHR}/Encounter/e.1-x" in [url for url, _ in ehr.asked]


def test_the_token_is_logged_nowhere(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    def broken(_: float) -> Any:
        raise OutboundFailed("no")

    site(Pretended({**ALL, "Patient/p1": broken}))()
    assert "opaque-secret" not in caplog.text
    assert not any("opaque-secret" in repr(call) for call in site.given)


def test_the_list_of_servers_is_a_setting_and_what_the_trust_file_adds() -> None:
    assert fetching.way(Settings(), ()) is None
    way = fetching.way(Settings(fhir_servers="https://other.example"), [Allowed(f"{EHR}/")])
    assert way is not None and way.allows("https://other.example/Patient/1")
    assert way.allows(f"{EHR}/Patient/1") and not way.allows("https://ehr.example/fhir2/Patient/1")
    with pytest.raises(Incorrect):
        fetching.way(Settings(fhir_servers="ehr.example"), ())


USERS = {
    "staff": Template("Practitioner/{{userPractitionerId}}", required=False),
    "role": Template("PractitionerRole/{{userPractitionerRoleId}}", required=False),
    "self": Template("Patient/{{userPatientId}}", required=False),
    "family": Template("RelatedPerson/{{userRelatedPersonId}}", required=False),
}


@pytest.mark.conforms("cds-hooks_2.0@56")
@pytest.mark.parametrize("user", ["Practitioner/u", "PractitionerRole/u", "Patient/p1", "RelatedPerson/u"])
def test_a_users_token_has_a_value_for_users_of_its_type_alone(tmp_path: Path, user: str) -> None:
    ehr = Pretended({})
    made = door(tmp_path, service(prefetch=USERS), outbound=ehr)
    assert made.call(body(fhirServer=EHR, context={"userId": user, "patientId": "p1"})).status_code == 200
    assert [url for url, _ in ehr.asked] == [f"{EHR}/{user}"]
    made.parts.store.close()


def test_over_a_real_connection_and_by_the_lists_alone(tmp_path: Path) -> None:
    answered = ok(json.dumps(person()).encode())
    with raw(answered) as server:
        base = f"http://127.0.0.1:{server.port}/fhir"
        given: list[Call] = []

        def handler(call: Call) -> Response:
            given.append(call)
            return Response()

        wanted = {"patient": Template("Patient/{{context.patientId}}")}
        listed, other = (
            door(tmp_path / name, service(handler, prefetch=wanted), outbound=..., fhir_servers=servers)
            for name, servers in (("a", base), ("b", "https://ehr.example"))
        )
        sent = body(fhirServer=base, fhirAuthorization=AUTHORIZATION)
        assert listed.call(sent).status_code == 200
        assert "FHIRTWIN_FHIR_SERVERS" in why(other.call(sent))["prefetch.patient"]
        for made in (listed, other):
            made.parts.store.close()
    assert [source.id for source, _ in given[0].prefetched.resources] == ["p1"]
    (request,) = server.requests
    assert request.startswith(b"GET /fhir/Patient/p1 HTTP/1.1\r\n")
    assert b"Authorization: Bearer opaque-secret\r\n" in request


@pytest.mark.parametrize("url", OFF_THE_LIST)
def test_no_fhir_server_that_gets_round_the_list_is_called(url: str, tmp_path: Path) -> None:
    network = Network()
    way = Outbound(
        [test_vectors.EHR],
        connect_timeout=1,
        read_timeout=1,
        max_bytes=1000,
        open_=True,
        resolve=network.resolve,
        connect=network.connect,
    )
    made = door(tmp_path, service(prefetch={"patient": TEMPLATES["patient"]}), outbound=way)
    answer = made.call(body(fhirServer=url, fhirAuthorization=AUTHORIZATION))
    made.parts.store.close()
    assert answer.status_code in (400, 412), answer.text
    # What is only another spelling of the listed server is that server.
    assert set(network.looked_up) <= {"ehr.example.org"} and network.connected == []
    assert "opaque-secret" not in answer.text
