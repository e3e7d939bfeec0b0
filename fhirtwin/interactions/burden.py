"""What the store counted of calls, cards and feedback, by CDS service. Nothing of any patient is in it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from fhirtwin.report.alert_burden import Burden
from fhirtwin.store import Store


def of_services(store: Store, first: date = date.min, last: date = date.max) -> Mapping[str, Burden]:
    """What was counted on the days from `first` to `last` (UTC), by id of the service, of one moment."""
    days = (first.isoformat(), last.isoformat())
    with store.snapshot() as reader:
        calls = {one.service: one for one in reader.advice.calls(*days)}
        outcomes = reader.advice.outcomes(*days)
    found = {}
    for service in sorted({*calls, *(one.service for one in outcomes)}):
        mine = [one for one in outcomes if one.service == service]
        accepted = sum(one.number for one in mine if one.outcome == "accepted")
        overridden = {one.reason: one.number for one in mine if one.outcome == "overridden"}
        called = calls.get(service)
        found[service] = Burden(
            answered=called.answered if called else 0,
            silent=called.silent if called else 0,
            cards=called.cards if called else 0,
            quietened=called.quietened if called else 0,
            refused=called.refused if called else 0,
            failed=called.failed if called else 0,
            accepted=accepted,
            overridden=overridden,
        )
    return found
