"""What a rule looks at: the orders being made, and the twin as of the day they are made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from fhirtwin.pgx.knowledge.entries import NOTHING, Knowledge
from fhirtwin.pgx.lookup import PLAIN, Lookup
from fhirtwin.rules.findings import Finding
from fhirtwin.twin.state import Fact, TwinState

RESULTS: Final = "observations"
"""Prefetch key of the results of measurements."""


@dataclass(frozen=True, slots=True)
class Medicine:
    """What an order is for, as far as it can be told from its codes, or from a text that is the name of one ingredient.

    Attributes:
        ingredients: RxNorm ingredient codes (TTY IN) of its active ingredients, sorted; empty when it is not known.
        display: names of the ingredients, or what the order calls it when none is known, for people.
        note: how it was read, when not by a code that is known; findings that rest on it say so.
    """

    ingredients: tuple[str, ...]
    display: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """A draft order of a medicine.

    Attributes:
        reference: `Type/id` of the draft.
        medicine: what is ordered.
        route: code of the route of its first dosage, empty when not told.
    """

    reference: str
    medicine: Medicine
    route: str = ""


@dataclass(frozen=True, slots=True)
class Situation:
    """Orders and patient.

    Attributes:
        orders: drafts, in the order they were sent.
        state: the twin as of `day` (`fhirtwin.twin.derived.as_of`), with the call laid over it.
        day: the day of the call.
        ended: medicines that were over by that day (`fhirtwin.twin.derived.ended`).
        undated: medicines that were stopped or put on hold, the record does not tell when
            (`fhirtwin.twin.derived.over_undated`).
        genes: looks up what genes mean.
        has_unjudged: whether there are drafts beside, of which nothing could be made, wholly or in part.
        texts: guideline texts of the folder that the hospital gave.
        oldest_measure: how old height and weight may be for a dose, where a rule has no limit of its own.
        left: what was asked for and not obtained, by prefetch key, with why; of it nothing may be said to be missing.
        forgotten: pregnancies that are too long ago to count, and without an end
            (`fhirtwin.twin.derived.forgotten_pregnancies`).
    """

    orders: tuple[Order, ...]
    state: TwinState
    day: date
    ended: tuple[Fact, ...] = ()
    undated: tuple[Fact, ...] = ()
    genes: Lookup = PLAIN
    has_unjudged: bool = False
    texts: Knowledge = NOTHING
    oldest_measure: timedelta = timedelta(days=730)
    left: Mapping[str, str] = field(default_factory=dict)
    forgotten: tuple[Fact, ...] = ()

    @property
    def has_results(self) -> bool:
        """Whether the results of measurements were obtained; where they were not, none can be said to be missing."""
        return RESULTS not in self.left


Rule = Callable[[Situation], Iterator[Finding]]
"""Finds what is the matter; pure, and silent only when there is nothing to say."""
