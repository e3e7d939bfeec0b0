"""A caller who may see some patients' records gets what a server that holds only those would answer.

Matches, totals, pages, links of chains, reverse chains, Lists, includes and sort keys are all asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhirtwin.access import OPEN, Caller
from fhirtwin.access.visibility import EVERYTHING, NOTHING, Filter, visible
from fhirtwin.errors import Forbidden
from fhirtwin.fhir import codec
from fhirtwin.fhir.search.grammar import Grammar
from fhirtwin.interactions.context import Services
from fhirtwin.interactions.create import create
from fhirtwin.interactions.search_system import search_system
from fhirtwin.interactions.search_type import search_type
from fhirtwin.interactions.transaction import transaction
from tests import parts
from tests.parts import body, condition, entry, observation, patient

LABEL = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}
OF_ANN = Caller("app", OPEN.may, patients=frozenset({"ann"}))
WITHOUT_RESTRICTED = Caller("app", OPEN.may, withheld=frozenset({(LABEL["system"], LABEL["code"])}))


def resources() -> dict[str, dict[str, Any]]:
    """Two patients with records that are tied together, and what belongs to nobody; by `Type/id`."""
    made = [
        {"resourceType": "Practitioner", "id": "doc", "name": [{"family": "Doc"}]},
        {"resourceType": "Organization", "id": "org", "name": "Clinic"},
        patient(id="ann", name=[{"family": "Ann"}], managingOrganization={"reference": "Organization/org"}),
        patient(
            id="ben",
            name=[{"family": "Ben"}],
            birthDate="1950-01-01",
            generalPractitioner=[{"reference": "Practitioner/doc"}],
            managingOrganization={"reference": "Organization/org"},
        ),
        *(observation(f"Patient/{who}", id=f"o-{who}-{n}", code=f"c{n}") for who in ("ann", "ben") for n in range(3)),
        observation("Patient/ann", "c9", id="o-mixed", performer=[{"reference": "Patient/ben"}]),
        observation("Patient/ben", "c8", id="o-member", hasMember=[{"reference": "Observation/o-ann-0"}]),
        observation("Group/both", "c7", id="o-group"),
        observation("Patient/ann", "c1", id="o-secret", meta={"security": [LABEL]}),
        condition("Patient/ben", id="con-ben", asserter={"reference": "Practitioner/doc"}),
        condition("Patient/ann", id="con-ann"),
        {
            "resourceType": "Group",
            "id": "both",
            "type": "person",
            "actual": True,
            "member": [{"entity": {"reference": "Patient/ann"}}, {"entity": {"reference": "Patient/ben"}}],
        },
        {
            "resourceType": "List",
            "id": "of-ben",
            "status": "current",
            "mode": "working",
            "subject": {"reference": "Patient/ben"},
            "entry": [{"item": {"reference": "Observation/o-ann-0"}}, {"item": {"reference": "Practitioner/doc"}}],
        },
    ]
    return {f"{one['resourceType']}/{one['id']}": one for one in made}


OF_BEN_ALONE = {
    "Patient/ben", "Observation/o-ben-0", "Observation/o-ben-1", "Observation/o-ben-2", "Observation/o-member",
    "Observation/o-group", "Condition/con-ben", "List/of-ben",
}  # fmt: skip
"""What lies in no compartment of Ann's, by the definition of the compartment: read by eye, not by the program."""


def served(folder: Path, held: dict[str, dict[str, Any]]) -> Services:
    made = parts.services(folder)
    entries = [entry("PUT", name, one) for name, one in held.items()]
    answer = transaction(made, OPEN, body(parts.transaction(*entries)), prefer="")
    assert answer.status == 200, answer.body
    return made


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    made = served(tmp_path_factory.mktemp("whole"), resources())
    yield made
    made.store.close()


@pytest.fixture(scope="module")
def of_ann(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    held = {name: one for name, one in resources().items() if name not in OF_BEN_ALONE}
    made = served(tmp_path_factory.mktemp("ann"), held)
    yield made
    made.store.close()


@pytest.fixture(scope="module")
def without_restricted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    held = {name: one for name, one in resources().items() if name != "Observation/o-secret"}
    made = served(tmp_path_factory.mktemp("labels"), held)
    yield made
    made.store.close()


def seen(services: Services, caller: Caller, type_: str, sent: tuple[tuple[str, str], ...]) -> list[Any]:
    """All pages of a search: totals, links without places, and each entry's mode and resource without times."""
    pages: list[Any] = []
    place: list[tuple[str, str]] = []
    while True:
        asked = [*sent, *place]
        answer = search_type(services, caller, type_, asked) if type_ else search_system(services, caller, asked)
        bundle = codec.decode(answer.body)
        links = {link["relation"]: link["url"] for link in bundle["link"]}
        entries = [(one["search"]["mode"], one["fullUrl"]) for one in bundle.get("entry", ())]
        pages.append((bundle.get("total"), sorted(links), entries))
        if "next" not in links:
            return pages
        place = [("_page", re.findall(r"_page=([^&]+)", links["next"])[0])]
        assert len(pages) < 50


TYPES = ("Observation", "Patient", "Condition", "Group", "List", "Practitioner", "Organization", "")
CRITERIA: dict[str, tuple[tuple[str, str], ...]] = {
    "Observation": (
        ("code", "c0,c1,c8,c9"), ("code:not", "c1"), ("patient", "ben"), ("patient", "ann"), ("subject:Group", "both"),
        ("patient.name", "ben"), ("subject.name", "ann,ben"), ("performer:Patient.name", "ben"), ("date", "gt2020"),
        ("has-member.code", "c0"), ("_has:Observation:has-member:code", "c8"), ("_list", "of-ben"),
        ("patient.organization.name", "clinic"), ("subject:Group.member:Patient.name", "ben"),
        ("_id", "o-ann-0,o-ben-0"),
        ("patient:missing", "false"), ("_security:not", "R"), ("_security", "R"),
    ),
    "Patient": (
        ("_has:Observation:patient:code", "c8"), ("_has:Condition:patient:asserter.name", "doc"), ("name", "ann,ben"),
        ("_has:Group:member:_id", "both"), ("general-practitioner.name", "doc"), ("organization", "org"),
    ),
    "Condition": (("patient.name", "ben"), ("asserter:Practitioner.name", "doc"), ("code", "44054006")),
    "Group": (("member:Patient.name", "ben"), ("member:Patient.name", "ann")),
    "List": (("item:Observation.code", "c0"), ("status", "current")),
    "Practitioner": (
        ("_has:Patient:general-practitioner:name", "ben"), ("_has:Condition:asserter:code", "44054006"),
        ("name", "doc"), ("_list", "of-ben"),
    ),
    "Organization": (("_has:Patient:organization:name", "ben"), ("_has:Patient:organization:birthdate", "lt1955")),
    "": (("_id", "ann,ben,o-ann-0,o-ben-0,doc"), ("_security", "R")),
}  # fmt: skip
RESULTS: dict[str, tuple[tuple[str, str], ...]] = {
    "Observation": (
        ("_include", "Observation:subject"), ("_include", "*"), ("_include:iterate", "*"), ("_sort", "patient"),
        ("_revinclude", "Observation:has-member"), ("_revinclude", "*"), ("_sort", "-code,_id"),
        ("_revinclude:iterate", "*"),
    ),
    "Patient": (
        ("_revinclude", "Observation:patient"), ("_revinclude", "*"), ("_sort", "birthdate"), ("_include", "*"),
    ),
    "Group": (("_include", "Group:member"), ("_include:iterate", "*")),
    "List": (("_include", "List:item"),),
    "Practitioner": (("_revinclude", "*"), ("_revinclude:iterate", "*")),
    "Organization": (("_revinclude", "Patient:organization"), ("_revinclude:iterate", "*")),
}  # fmt: skip
PAGES = (("_count", "1"), ("_count", "2"), ("_count", "0"), ("_total", "none"), ("_summary", "count"))


@st.composite
def searches(draw: st.DrawFn) -> tuple[str, tuple[tuple[str, str], ...]]:
    type_ = draw(st.sampled_from(TYPES))
    criteria = draw(st.lists(st.sampled_from(CRITERIA[type_]), max_size=3, unique=True))
    results = draw(
        st.lists(st.sampled_from(RESULTS.get(type_, (("_sort", "_id"),))), max_size=2, unique_by=lambda p: p[0])
    )
    page = draw(st.lists(st.sampled_from(PAGES), max_size=1))
    return type_, (*criteria, *results, *page)


COMPARED = settings(max_examples=150, deadline=None)


@COMPARED
@given(searches())
def test_one_compartment_looks_like_a_server_with_that_record_alone(
    whole: Services, of_ann: Services, search: tuple[str, tuple[tuple[str, str], ...]]
) -> None:
    assert seen(whole, OF_ANN, *search) == seen(of_ann, OPEN, *search)


@COMPARED
@given(searches())
def test_withheld_labels_look_like_a_server_without_what_has_them(
    whole: Services, without_restricted: Services, search: tuple[str, tuple[tuple[str, str], ...]]
) -> None:
    assert seen(whole, WITHOUT_RESTRICTED, *search) == seen(without_restricted, OPEN, *search)


def test_the_record_of_one_is_not_the_whole(whole: Services) -> None:
    """What the properties compare does differ: else they would hold for a filter that does nothing."""
    for caller in (OF_ANN, WITHOUT_RESTRICTED):
        assert seen(whole, caller, "Observation", ()) != seen(whole, OPEN, "Observation", ())
    assert seen(whole, OF_ANN, "Patient", (("name", "ben"),)) == [(0, ["self"], [])]


def test_a_condition_of_a_write_does_not_tell_of_what_the_caller_may_not_see(whole: Services) -> None:
    for name in ("ben", "nobody"):
        with pytest.raises(Forbidden, match="You may not use create of Patient"):
            create(whole, OF_ANN, "Patient", body(patient()), if_none_exist=f"name={name}", prefer="")


def test_who_may_not_search_sees_nothing_and_is_refused(whole: Services) -> None:
    nobody = Caller("nobody")
    assert visible(nobody, "Patient") == NOTHING
    with pytest.raises(Forbidden):
        search_type(whole, nobody, "Patient", [])
    with pytest.raises(Forbidden):
        search_system(whole, nobody, [])


def test_an_explanation_is_for_administrators(whole: Services) -> None:
    with pytest.raises(Forbidden):
        search_type(whole, OF_ANN, "Patient", [("_explain", "true")])
    assert b"SELECT" in search_type(whole, replace(OF_ANN, administrator=True), "Patient", [("_explain", "true")]).body


def test_a_filter_may_require_a_label(whole: Services) -> None:
    label = frozenset({(LABEL["system"], LABEL["code"])})
    query = Grammar(parts.BASE).parse(("Observation",), [("_include", "Observation:subject")])
    with whole.store.snapshot() as reader:
        page = reader.search(query, lambda _type: Filter(required=label))
    assert ([stored.id for stored in page.versions], page.included, page.total) == (["o-secret"], (), 1)


def test_todays_callers_see_everything() -> None:
    assert visible(OPEN, "Patient") == EVERYTHING
    assert visible(OF_ANN, "Observation") == Filter(patients=frozenset({"ann"}))
    assert visible(OF_ANN, "Practitioner") == EVERYTHING
