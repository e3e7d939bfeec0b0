"""Searches made to cost much or to break out: refused by name or answered soon, never with a fault."""

from __future__ import annotations

import resource as process
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from fhirtwin.fhir.search.grammar import MAX_VALUES
from fhirtwin.fhir.search.parameters import PARAMETERS
from fhirtwin.interactions.context import Services
from tests import parts
from tests.interactions.test_search_type import store
from tests.parts import observation, patient

MOST_TIMES = 500
"""How often a page of 400 resources could be read in the time of one nasty search, at most; the worst takes 130."""
MOST_MEGABYTES = 100


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    made = parts.services(tmp_path_factory.mktemp("nasty"), max_body_bytes=10_000_000)
    client = parts.application(made).test_client()
    organizations = [
        {
            "resourceType": "Organization",
            "id": f"org{n}",
            "name": "N" * 500,
            "partOf": {"reference": f"Organization/org{(n + 1) % 40}"},
        }
        for n in range(40)
    ]
    people = [
        patient(id=f"p{n}", name=[{"family": f"Family{n}"}], managingOrganization={"reference": "Organization/org0"})
        for n in range(40)
    ]
    results = [observation(f"Patient/p{n % 40}", f"c{n % 7}", id=f"o{n}") for n in range(400)]
    store(client, *organizations, *people, *results)
    yield made
    made.store.close()


@pytest.fixture
def client(services: Services) -> FlaskClient:
    return parts.application(services).test_client()


def many(text: str, count: int = 100) -> str:
    return ",".join(f"{text}{n}" for n in range(count))


LIMITS = {
    "Patient?_count=1001": "FHIRTWIN_MAX_COUNT",
    "Patient?_count=999999999": "FHIRTWIN_MAX_COUNT",
    f"Patient?name={many('x', 101)}": "FHIRTWIN_MAX_OR_VALUES",
    f"Patient?_list={many('x', 101)}": "FHIRTWIN_MAX_OR_VALUES",
    "Observation?subject:Patient.organization.partof.partof.name=x": "FHIRTWIN_MAX_CHAIN_DEPTH",
    f"Patient?{'_has:Observation:patient:' * 4}code=x": None,
    f"Organization?{'_has:Organization:partof:' * 4}name=x": "FHIRTWIN_MAX_CHAIN_DEPTH",
    f"Organization?{'partof.' * 200}name=x": "FHIRTWIN_MAX_CHAIN_DEPTH",
    f"Patient?{'&'.join(['name=x'] * 31)}": "30 parameters",
    f"?_id={many('x')}": str(MAX_VALUES),
    "Provenance?target._id=x&entity._id=x": "resource types",
    "Patient?_sort=_id,name,family,given,birthdate,gender": "`_sort`",
    f"Patient?name={'x' * 3000}": "2000 characters",
}


@pytest.mark.parametrize("query", LIMITS)
def test_what_passes_a_limit_is_refused_with_the_name_of_the_limit(client: FlaskClient, query: str) -> None:
    answer = client.get(f"/fhir/{query}")
    named = LIMITS[query]
    assert answer.status_code == (413 if named else 400), answer.text
    assert named is None or named in answer.json["issue"][0]["diagnostics"]


def test_more_includes_than_the_limit_are_refused_with_its_name(tmp_path: Path) -> None:
    made = parts.services(tmp_path, max_includes=3)
    client = parts.application(made).test_client()
    store(client, patient(id="p"), *(observation("Patient/p", id=f"o{n}") for n in range(4)))
    answer = client.get("/fhir/Patient?_revinclude=Observation:patient")
    assert (answer.status_code, "FHIRTWIN_MAX_INCLUDES" in answer.text) == (413, True)
    assert client.get("/fhir/Observation?_include=Observation:patient").status_code == 200
    made.store.close()


def test_the_limits_are_those_of_the_settings(tmp_path: Path) -> None:
    made = parts.services(tmp_path, max_count=2, default_count=1, max_or_values=2, max_chain_depth=1)
    client = parts.application(made).test_client()
    for query, status in (
        ("Patient?_count=2", 200),
        ("Patient?_count=3", 413),
        ("Patient?name=a,b", 200),
        ("Patient?name=a,b,c", 413),
        ("Patient?organization.name=x", 200),
        ("Patient?organization.partof.name=x", 413),
    ):
        assert client.get(f"/fhir/{query}").status_code == status, query
    made.store.close()


def nasty() -> Iterator[str]:
    """About 300 searches that ask for much."""
    yield "Organization?_include:iterate=Organization:partof"
    yield "Organization?_id=org0&_include:iterate=*&_revinclude:iterate=*&_count=1000"
    yield "Observation?_include=*&_revinclude=*&_include:iterate=*&_revinclude:iterate=*&_count=1000"
    yield "?_count=1000&_include:iterate=*&_revinclude:iterate=*"
    yield "?_sort=-_lastUpdated,_id&_count=1000"
    yield f"?_type={','.join(sorted(PARAMETERS))}&_tag={many('t', 20)}"
    yield "&".join(["Observation?code:not=" + many("c"), *(["code:not=" + many("d")] * 28)])
    yield "&".join([f"Patient?name:contains={many('a%_/')}", *(["name:contains=" + many("%")] * 20)])
    yield "Observation?subject._id=" + many("p")
    yield "Observation?" + "&".join(f"subject.name={many(str(n), 50)}" for n in range(15))
    for parameters in (1, 9, 25):
        panels = ",".join(f"a$gt{n}||mg" for n in range(100))
        yield "Observation?" + "&".join([f"combo-code-value-quantity={panels}"] * parameters)
        yield "Observation?" + "&".join([f"date={','.join(f'ne{year}' for year in range(1920, 2020))}"] * parameters)
    yield "ValueSet?url:above=http://" + "a/" * 900
    yield "ValueSet?url:below=h"
    yield "Patient?_has:Observation:patient:_has:Provenance:target:agent._id=x"
    yield "Provenance?target.identifier=x"
    for power in range(0, 40, 2):
        yield f"Observation?value-quantity=ap1e{power * 8}"
        yield f"RiskAssessment?probability={'9' * (power + 1)}"
        yield f"Observation?date=ap{'9' * (power % 5)}"
        yield f"Patient?birthdate=ge0001&birthdate=le9999-12-31T23:59:59.{'9' * (power + 1)}Z"
        yield f"Patient?name={'%25' * power}_"
        yield f"Patient?name=%5C{'%5C' * power}"
        yield f"Patient?name={'%CC%81a' * power * 10}x"
        yield f"Patient?name:contains={'ﷺ' * power}x"
        yield f"Patient?identifier={'|' * power}"
        yield f"Patient?{'a' * power * 50}=x"
        yield f"Patient?name:{'x:' * power}=x"
        yield f"Patient?_sort={'-' * power}name"
        yield f"Patient?_elements={'id,' * power}id"
        yield f"Patient?_page={'A' * power * 100}"
        yield f"Patient?_include={'*' * power}"


def spent(client: FlaskClient, query: str) -> tuple[float, TestResponse]:
    """The CPU time of a search in seconds, and its answer."""
    start = time.process_time()
    answer = client.get(f"/fhir/{query}")
    return time.process_time() - start, answer


def test_nothing_that_asks_for_much_costs_much(client: FlaskClient) -> None:
    page = min(spent(client, "Observation?_count=1000&_elements=id")[0] for _ in range(5))
    before = process.getrusage(process.RUSAGE_SELF).ru_maxrss
    asked = list(nasty())
    assert len(asked) >= 300
    for query in asked:
        seconds, answer = spent(client, query)
        assert answer.status_code in (200, 400, 413), (query[:200], answer.text[:500])
        assert seconds < MOST_TIMES * page, query[:200]
    assert process.getrusage(process.RUSAGE_SELF).ru_maxrss - before < MOST_MEGABYTES * 1024


INJECTED = (
    "' OR '1'='1", "\" OR 1=1 --", "x'; DROP TABLE resource; --", "1) UNION SELECT data FROM resource_version --", "%",
    "_", "*", "a\\' OR 1=1", ":v0", "?1", "$1", "%(v0)s", "__[POSTCOMPILE_v0]", "{0}", "0x41", "x/*", "\u202e",
    "'||(SELECT 1)||'", "randomblob(1000000000)", "\ud7ff", "NULL", "\t\n",
)  # fmt: skip
"""What would change a statement if it ever became part of one."""
PLACES = (
    "Patient?name=X", "Patient?name:exact=X", "Patient?name:contains=X", "Patient?identifier=X",
    "Patient?identifier=s|X", "Patient?identifier:of-type=a|b|X", "Patient?_id=X", "Patient?_tag=X",
    "Patient?_profile=X", "Patient?birthdate=X", "Patient?organization=X", "Patient?organization:identifier=X",
    "Patient?organization.name=X", "Patient?X=1", "Patient?name:X=1", "Patient?_sort=X", "Patient?_elements=X",
    "Patient?_include=X", "Patient?_revinclude=X", "Patient?_has:Observation:patient:X=1",
    "Patient?_has:X:patient:code=1", "Patient?_list=X", "Patient?_count=X", "Patient?_summary=X", "Patient?_page=X",
    "Observation?value-quantity=5||X", "Observation?code:in=X", "?_type=X", "ValueSet?url:below=X",
    "ValueSet?url:above=http://X", "Observation?code:text=X",
)  # fmt: skip


def test_no_value_becomes_part_of_a_statement(client: FlaskClient) -> None:
    """Nothing is found by what nobody has, nothing fails, and everything is still there."""
    for place in PLACES:
        for injected in INJECTED:
            path, _, sent = place.replace("X", "\x01").partition("?")
            name, _, value = sent.partition("=")
            pair = (name.replace("\x01", injected), value.replace("\x01", injected))
            answer = client.get(f"/fhir/{path}", query_string=[pair])
            assert answer.status_code in (200, 400), (place, injected, answer.text[:300])
            if answer.status_code == 200 and "include" not in place:
                assert answer.json["total"] == 0, (place, injected)
    assert client.get("/fhir/Patient?_summary=count").json["total"] == 40
