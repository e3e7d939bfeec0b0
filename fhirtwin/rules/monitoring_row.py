"""How a row of monitoring is written down: which medicine, which results, how often, and who says so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from fhirtwin.rules.findings import Citation
from fhirtwin.terms.coding import Coding


@dataclass(frozen=True, slots=True)
class Check:
    """A result that has to be there.

    Attributes:
        key: stable name: `thyroid`.
        title: for people, lower case.
        facts: any one of these facts of the twin counts as the result.
        order: what to order when it is due.
    """

    key: str
    title: str
    facts: tuple[str, ...]
    order: Coding


@dataclass(frozen=True, slots=True)
class Due:
    """A check and how long one result holds.

    Attributes:
        check: what has to be there.
        every: the longest time that the source lets pass, in days.
        words: the interval as the source gives it, with what it asks for at other stages of treatment.
    """

    check: Check
    every: timedelta
    words: str


@dataclass(frozen=True, slots=True)
class MonitoringRow:
    """What has to be watched under a medicine, or under a group of medicines.

    Attributes:
        name: generic name or group, lower case.
        ingredients: RxNorm ingredient codes; one of them is enough.
        dues: what is due.
        source: who says so; the text that was read, with its date.
    """

    name: str
    ingredients: frozenset[str]
    dues: tuple[Due, ...]
    source: Citation
