from __future__ import annotations

from sqlalchemy.dialects import sqlite

from fhirtwin.fhir.search_grammar import parse
from fhirtwin.store import Store, index, searching


def test_a_patient_is_found_by_value_and_other_conditions_are_checked_by_resource(store: Store) -> None:
    """However many resources share a status or a day: what is looked through is what one patient has."""
    sent = [("date", "gt2020"), ("status", "final"), ("code", "x"), ("patient", "p")]
    query = parse("Observation", sent, index.kinds("Observation"), base_url="", default_count=50, max_count=100)
    statement = searching.page(query, 10**6).compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
    with store._reading.begin() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}").all()
    used = [word for row in plan for word in row.detail.split() if word.startswith("ix_search")]
    assert sorted(used) == [
        "ix_search_date_resource",
        "ix_search_reference_value",
        "ix_search_token_resource",
        "ix_search_token_resource",
    ]
