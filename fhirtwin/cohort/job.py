"""What the processes at work on a cohort hand to one another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from fhirtwin.errors import FhirtwinError
from fhirtwin.settings import Settings

HERE: Final = "store"
"""Origin of records whose patients are those of the store on the data folder."""


@dataclass(frozen=True)
class Job:
    """What every block of a cohort is worked on with.

    Attributes:
        models: ids of the predictors that are asked.
        as_of: the day that the risks are stated for.
        origin: FHIR base of the server that the records come from, where they do not say it; `HERE` for this one.
        stored: blocks name patients of the store, not lines.
        assessments: RiskAssessments are wanted beside the rows.
        prepare: prepared vectors are wanted instead of rows, and no engine.
    """

    settings: Settings
    models: tuple[str, ...]
    as_of: date
    origin: str = ""
    stored: bool = False
    assessments: bool = False
    prepare: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """One patient to be: a line of a file, or the id of a Patient of the store.

    Attributes:
        number: of the line, from 1; of the resource in the store.
        data: the line, or the id; empty when `wrong` says why it is not read.
    """

    number: int
    data: bytes
    wrong: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """Items that are worked on together, and where the next block begins.

    Attributes:
        number: from 0.
        end: byte of the file, or number in the store, that everything up to is in this block or an earlier one.
    """

    number: int
    end: int
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """What came of one item.

    Attributes:
        patient: digest of who it is, to find out who came twice.
        row: a line of the output.
        assessments: lines of RiskAssessments.
        wrong: why there is no row; then the rest is empty.
    """

    number: int
    patient: bytes = b""
    row: bytes = b""
    assessments: bytes = b""
    wrong: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a block: a row for each item, in their order, or what broke down.

    Attributes:
        asked: whether an engine answered for it.
    """

    number: int
    rows: tuple[Row, ...] = ()
    asked: bool = False
    failure: FhirtwinError | None = None
