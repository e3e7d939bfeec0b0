"""From a coding to ingredients: what the code says, or, where nothing here knows it, its normalised RxNorm name.

A text without any coding is read of drafts alone, where it is the name of one ingredient and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Final

from fhirtwin.terms.concepts.medicines import SETS
from fhirtwin.terms.concepts.model import Code
from fhirtwin.terms.drugs import naming
from fhirtwin.terms.drugs.atc import ATC as ATC_CODES
from fhirtwin.terms.drugs.atc import COMBINED
from fhirtwin.terms.drugs.ingredients import CODES, INGREDIENTS, SAME, combinations
from fhirtwin.terms.systems import ATC, RXNORM

FROM_DISPLAY: Final = "read from the RxNorm name beside the code, which is not in the tables here"
"""How it was read when the code itself was not known."""
FROM_TEXT: Final = "read by its name: it has no code, and its text is exactly the name of one ingredient"
"""How a draft was read that has a text alone."""


@dataclass(frozen=True, slots=True)
class Read:
    """What the codings of one medicine come to.

    Attributes:
        ingredients: RxNorm ingredient codes, sorted; empty when it is not known what the medicine is.
        code: the coding it was read by; None when it is not known.
        note: how it was read, when not by a code.
        conflict: whether the codings mean different medicines, so that none of them is taken.
    """

    ingredients: tuple[str, ...] = ()
    code: Code | None = None
    note: str = ""
    conflict: bool = False


def read(codings: Iterable[tuple[Code, str]]) -> Read:
    """Give the ingredients that the codings of one concept stand for.

    Codes that are known outweigh names. Codings that lead to different ingredients are a contradiction, and nothing is
    taken from them.

    Args:
        codings: each with its display, empty when it has none.
    """
    given = tuple(codings)
    known = {code: found for code, _ in given if (found := by_code(code))}
    if known:
        return _agreed(known, "")
    named = {code: found for code, display in given if code.system == RXNORM and (found := naming.ingredients(display))}
    return _agreed(named, FROM_DISPLAY) if named else Read()


def _agreed(found: dict[Code, tuple[str, ...]], note: str) -> Read:
    if len(set(found.values())) > 1:
        return Read(conflict=True)
    code, ingredients = next(iter(found.items()))
    return Read(ingredients, code, note)


def by_code(code: Code) -> tuple[str, ...]:
    """Give the ingredients that a code alone stands for; nothing when no table knows it."""
    if code.system == RXNORM:
        if code.code in INGREDIENTS:
            return (SAME.get(code.code, code.code),)
        return combinations().get(code.code, ()) or _clinical_drugs().get(code.code, ())
    if code.system == ATC and code.code in ATC_CODES:
        return (ATC_CODES[code.code],)
    return COMBINED.get(code.code, ()) if code.system == ATC else ()


def by_name(words: str) -> Read:
    """Give the ingredient of which a text is the name, and nothing beside it; only for what has no code at all.

    Args:
        words: in any case.
    """
    code = CODES.get(" ".join(words.split()).casefold())
    return Read((code,), Code(RXNORM, code), FROM_TEXT) if code else Read()


@cache
def _clinical_drugs() -> dict[str, tuple[str, ...]]:
    """Clinical drugs whose names were read at their source, with the ingredients those names say."""
    rows = {code: display for known in SETS if known.system == RXNORM for code, display in known.rows.items()}
    return {code: found for code, display in rows.items() if (found := naming.ingredients(display))}
