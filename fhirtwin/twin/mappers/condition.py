"""Condition: the diseases that a predictor needs or that keep it from applying.

A diagnosis counts when it is confirmed, or when the record has nothing on verification. `unconfirmed`, `provisional`
and `differential` are suspicions; they are listed as not used, so that a reader sees them, and they neither exclude
nor count.
"""

from __future__ import annotations

from typing import Final

from fhirtwin.terms import concepts
from fhirtwin.terms.systems import CONDITION_CLINICAL, CONDITION_VERIFICATION
from fhirtwin.twin.mapper import Mapper, Resource
from fhirtwin.twin.reading import code_in, codings, end_of, forbidden, start_of, text, unused
from fhirtwin.twin.state import Fact, Mapped, Source

ACTIVE: Final = frozenset({"active", "recurrence", "relapse"})
PAST: Final = frozenset({"inactive", "remission", "resolved"})
ENDED: Final = ("abatementAge", "abatementRange", "abatementString")


def read(resource: Resource, source: Source) -> Mapped:
    """Read one Condition into a flag for each thing its codes mean."""
    reason = forbidden(resource) or _unfit(resource)
    if reason:
        return unused(source, reason)
    known = list(codings(resource.get("code")))
    meanings = {m.fact: m for c in known for m in concepts.condition(c)}
    if not meanings:
        reason = next(
            (r for r in map(concepts.not_counted, known) if r), "code not known" if known else "it has no code"
        )
        return unused(source, reason)
    end = _abated(resource)
    active = _clinical(resource) in ACTIVE | {""} and not end and not any(resource.get(name) for name in ENDED)
    return Mapped(
        tuple(
            Fact(
                name,
                True,
                (source,),
                time=start_of(resource, "onset") or text(resource, "recordedDate"),
                end=end,
                active=active,
                system=meaning.code.system,
                code=meaning.code.code,
                display=meaning.display,
            )
            for name, meaning in sorted(meanings.items())
        )
    )


def _unfit(resource: Resource) -> str | None:
    verification, clinical = resource.get("verificationStatus"), resource.get("clinicalStatus")
    if verification and code_in(verification, CONDITION_VERIFICATION) != "confirmed":
        return "its verification status is not confirmed"
    if clinical and _clinical(resource) not in ACTIVE | PAST:
        return "its clinical status is not one that is known here"
    return None


def _clinical(resource: Resource) -> str:
    return code_in(resource.get("clinicalStatus"), CONDITION_CLINICAL)


def _abated(resource: Resource) -> str:
    return text(resource, "abatementDateTime") or end_of(resource, "abatement") or start_of(resource, "abatement")


MAPPER = Mapper("Condition", frozenset(concepts.CONDITION_FACTS), read)
