"""Procedure: revascularisation, dialysis and kidney transplantation.

A procedure that was done stays done: its fact has no end. For dialysis this means that a patient counts as dialysed
from the first session on, because a record of sessions does not say that there will be none tomorrow.
"""

from __future__ import annotations

from typing import Final

from fhirtwin.terms import concepts
from fhirtwin.twin.mapper import Mapper, Resource
from fhirtwin.twin.reading import codings, forbidden, start_of, text, unused
from fhirtwin.twin.state import Fact, Mapped, Source

DONE: Final = ("completed", "in-progress")


def read(resource: Resource, source: Source) -> Mapped:
    """Read one Procedure."""
    reason = forbidden(resource)
    if reason is None and text(resource, "status") not in DONE:
        reason = "its status is not completed or in-progress"
    if reason:
        return unused(source, reason)
    known = list(codings(resource.get("code")))
    meanings = {m.fact: m for m in map(concepts.procedure, known) if m}
    if not meanings:
        return unused(source, "code not known" if known else "it has no code")
    time = start_of(resource, "performed") or text(resource.get("performedPeriod"), "end")
    return Mapped(
        tuple(
            Fact(name, True, (source,), time=time, system=m.code.system, code=m.code.code, display=m.display)
            for name, m in sorted(meanings.items())
        )
    )


MAPPER = Mapper("Procedure", frozenset(concepts.PROCEDURE_FACTS), read)
