"""What SQL a search becomes: which index finds, which conditions only look, and what is built anew."""

from __future__ import annotations

import pytest
from sqlalchemy import Select

from fhirtwin.access.visibility import Filter, see_everything
from fhirtwin.fhir.search.grammar import Grammar
from fhirtwin.fhir.search.query import Query
from fhirtwin.store import Store
from fhirtwin.store.search import explaining, searching


def query(type_: str, *sent: tuple[str, str]) -> Query:
    return Grammar("").parse((type_,), sent)


def plan(store: Store, asked: Query) -> list[str]:
    """The lines of the plan that search in an index table or in the table of resources."""
    statement = searching.page(asked, see_everything)
    with store._reading.begin() as connection:
        lines = explaining.plan(connection, statement.sql, statement.values).splitlines()[1:]
    return [line for line in lines if line.startswith("SEARCH")]


def test_a_patient_is_found_by_value_and_other_conditions_are_checked_by_resource(store: Store) -> None:
    """However many resources share a status or a day: what is looked through is what one patient has."""
    found = plan(store, query("Observation", ("date", "gt2020"), ("status", "final"), ("code", "x"), ("patient", "p")))
    by_value = [line for line in found if "ix_search" in line]
    assert len(by_value) == 1 and "ix_search_reference_target_id (parameter=? AND target_id=?" in by_value[0]
    checked = [line for line in found if "search_" in line and "ix_search" not in line]
    assert len(checked) == 3 and all("PRIMARY KEY (resource=? AND parameter=?)" in line for line in checked)


def test_a_chain_finds_and_is_checked_by_what_was_found(store: Store) -> None:
    found = plan(store, query("Observation", ("code", "x"), ("subject:Patient.identifier", "y")))
    by_value = [line for line in found if "ix_search" in line]
    assert any("ix_search_token_code" in line for line in by_value)
    assert any("ix_search_reference_target_id" in line for line in by_value)
    assert sum("PRIMARY KEY (resource=? AND parameter=?)" in line for line in found) == 1


def test_ids_and_times_are_found_without_going_through_a_type(store: Store) -> None:
    assert "ix_resource_type_number (type=?)" not in str(plan(store, query("Patient", ("_id", "a,b"))))
    assert "ix_resource_type_number (type=?)" not in str(plan(store, query("Patient", ("_lastUpdated", "gt2024"))))
    reverse = plan(store, query("Patient", ("_has:Observation:patient:code", "x")))
    assert "ix_resource_type_number (type=?)" not in str(reverse) and "ix_search_token_code" in str(reverse)


@pytest.mark.parametrize("key", ["birthdate", "-family", "gender", "organization"])
def test_sorting_looks_at_the_values_of_one_resource_after_the_other(store: Store, key: str) -> None:
    found = plan(store, query("Patient", ("identifier", "x"), ("_sort", key)))
    assert sum("PRIMARY KEY (resource=? AND parameter=?)" in line for line in found) == 1


def statement(asked: Query) -> Select[object]:
    return searching.page(asked, see_everything).sql


def test_a_statement_is_built_once_for_all_searches_of_its_shape() -> None:
    one = query("Observation", ("patient", "a"), ("code", "s|b"), ("date", "ge2020"))
    other = query("Observation", ("patient", "x"), ("code", "t|y"), ("date", "ge1999-01"))
    assert statement(one) is statement(other)
    for differs in (
        query("Observation", ("patient", "a"), ("code", "b"), ("date", "ge2020")),
        query("Observation", ("patient", "a"), ("code", "s|b,s|c"), ("date", "ge2020")),
        query("Observation", ("patient", "a"), ("code", "s|b"), ("date", "gt2020")),
        query("Observation", ("patient", "a"), ("code", "s|b"), ("date", "ge2020"), ("_sort", "date")),
        query("Observation", ("performer", "a"), ("code", "s|b"), ("date", "ge2020")),
    ):
        assert statement(differs) is not statement(one)


def test_what_a_caller_may_not_see_is_part_of_the_statement() -> None:
    asked = query("Observation", ("code", "x"))
    bounded = searching.page(asked, lambda _type: Filter(patients=frozenset({"p"})))
    assert bounded.sql is not statement(asked)
    assert ["p"] in bounded.values.values()


def test_no_value_is_written_into_a_statement() -> None:
    asked = query(
        "Patient",
        ("name:contains", "o'); DROP TABLE resource; --"),
        ("identifier", "a'b|c'd"),
        ("birthdate", "1960-05"),
        ("_sort", "-family"),
    )
    text = str(statement(asked))
    assert "DROP" not in text and "a'b" not in text and "1960" not in text
