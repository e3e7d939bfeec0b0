from __future__ import annotations

from dataclasses import replace
from importlib.metadata import EntryPoint
from typing import Any

import pytest

from fhirtwin.api.cds.service import Response, Service
from fhirtwin.api.cds.services import registry
from fhirtwin.errors import Incorrect
from fhirtwin.intake.prefetch import Template
from fhirtwin.terms import concepts
from fhirtwin.terms.systems import LOINC

GOOD = Service(
    "a",
    ("patient-view",),
    "A",
    "Says nothing.",
    {"patient": Template("Patient/{{context.patientId}}")},
    lambda _: Response(),
)


def test_built_in_services_are_found_and_pass_the_gate() -> None:
    assert "twin-patient-view" in registry.all_services()


def test_one_hook_may_have_many_services() -> None:
    assert list(registry.admit([replace(GOOD, id="b"), GOOD])) == ["a", "b"]


@pytest.mark.parametrize(
    ("candidates", "says"),
    [
        ([GOOD, GOOD], "same id"),
        ([replace(GOOD, id="A/b")], "lower-case"),
        ([object()], "must be"),
        ([replace(GOOD, prefetch={"a b": Template("Patient/1")})], "key"),
        ([replace(GOOD, prefetch={"p": Template("Patent/1")})], "resource type"),
        ([replace(GOOD, prefetch={"p": Template("Patient/{{tomorrow()}}")})], "token"),
        ([replace(GOOD, prefetch={"p": Template("Patient/{{context.a.b}}")})], "token"),
        ([replace(GOOD, prefetch={"p": Template("Patient?name=x y")})], "read or search"),
        ([replace(GOOD, prefetch={"p": Template("Observation?code=" + "1" * 500)})], "longer"),
    ],
)
def test_what_does_not_pass_is_refused_in_words(candidates: list[Any], says: str) -> None:
    with pytest.raises(Incorrect, match=says):
        registry.admit(candidates)


def test_a_service_of_another_package_is_listed_and_a_broken_one_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [EntryPoint("mine", f"{__name__}:GOOD", registry.GROUP)]
    monkeypatch.setattr(registry, "entry_points", lambda group: entries)
    assert registry.all_services.__wrapped__()["a"] is GOOD
    entries.append(EntryPoint("theirs", "no.such.module:X", registry.GROUP))
    with pytest.raises(Incorrect, match="theirs"):
        registry.all_services.__wrapped__()


def test_the_observation_query_asks_for_every_code_a_mapper_reads() -> None:
    query = registry.all_services()["twin-patient-view"].prefetch["observations"].query
    codes = query.partition("code=")[2].partition("&")[0].split(",")
    known = [
        code
        for code in codes
        if concepts.observation(concepts.Code(LOINC, code)) or concepts.is_panel([concepts.Code(LOINC, code)])
    ]
    assert known == codes
    assert {"2160-0", "85354-9", "72166-2", "82810-3"} <= set(codes)
