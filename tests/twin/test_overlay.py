from hypothesis import given
from hypothesis import strategies as st

from fhirtwin.twin.mappers.registry import map_resource
from fhirtwin.twin.overlay import overlay
from fhirtwin.twin.state import LOCAL, Mapped, PatientKey, Source, TwinState
from tests.twin.builders import concept, condition, observation, patient, request, smoking

EHR = "https://ehr.example/fhir"
WHO = PatientKey(EHR, "p")
RESOURCES = [
    patient(),
    observation("2160-0", "0.9"),
    observation("2160-0", "1.2", effectiveDateTime="2024-05-01"),
    observation("2160-0", "5", status="entered-in-error"),
    smoking(concept("snomed", "8517006")),
    condition("snomed", "44054006"),
    condition("icd", "O24.011"),
    request(),
]


def brought(*pairs: tuple[Source, dict]) -> list[tuple[Source, Mapped]]:
    return [(source, map_resource(resource, source)) for source, resource in pairs]


def at(resource: dict, number: int, version: str = "1", origin: str = EHR) -> tuple[Source, dict]:
    return Source(origin, resource["resourceType"], f"r{number}", version), resource


ALL = brought(*(at(resource, number) for number, resource in enumerate(RESOURCES)))


def lay(base: TwinState | None, mapped: list[tuple[Source, Mapped]], lists: frozenset[str] = frozenset()) -> TwinState:
    return overlay(base, WHO, mapped, lists, f"{EHR}/Patient/p")


@given(st.permutations(ALL))
def test_order_of_the_resources_does_not_matter(mapped: list[tuple[Source, Mapped]]) -> None:
    assert lay(None, mapped) == lay(None, ALL)


@given(st.lists(st.sampled_from(ALL), max_size=6), st.lists(st.sampled_from(ALL), max_size=6))
def test_laying_the_same_over_again_changes_nothing(
    base: list[tuple[Source, Mapped]], mapped: list[tuple[Source, Mapped]]
) -> None:
    once = lay(lay(None, base), mapped)
    assert lay(once, mapped) == once


def test_resource_of_the_call_replaces_its_stored_version() -> None:
    base = lay(None, brought(at(observation("2160-0", "0.9"), 1, "1")))
    newer = lay(base, brought(at(observation("2160-0", "1.4"), 1, "2")))
    assert [(str(f.value), f.sources[0].version) for f in newer.facts] == [("1.4", "2")]


def test_resource_corrected_away_takes_its_fact_with_it() -> None:
    base = lay(None, brought(at(observation("2160-0", "0.9"), 1)))
    wrong = lay(base, brought(at(observation("2160-0", "0.9", status="entered-in-error"), 1, "2")))
    assert wrong.facts == ()
    assert [u.source.version for u in wrong.unused] == ["2"]


def test_same_id_of_another_server_is_another_resource() -> None:
    base = lay(None, brought(at(observation("2160-0", "0.9"), 1, origin=LOCAL)))
    both = lay(base, brought(at(observation("2160-0", "1.4"), 1)))
    assert {f.sources[0].origin for f in both.facts} == {LOCAL, EHR}


def test_version_stays_and_lists_add_up() -> None:
    base = TwinState(WHO, 7, (), frozenset({"Condition"}))
    laid = lay(base, [], frozenset({"Procedure"}))
    assert (laid.version, laid.lists) == (7, {"Condition", "Procedure"})
    assert lay(None, []).version == 0


def test_twin_laid_over_is_left_as_it_was() -> None:
    base = lay(None, ALL)
    before = base.facts
    lay(base, brought(at(observation("2160-0", "9.9"), 1, "2")))
    assert base.facts == before
