"""The medicines that a report is about: taken now, asked for by name, or all that guidelines have rows of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

from fhirtwin.pgx import currency, guideline
from fhirtwin.rules.genetics import naming
from fhirtwin.rules.genetics.judging import genes_of
from fhirtwin.rules.genetics.person import Person
from fhirtwin.terms import drugs
from fhirtwin.terms.concepts import Code
from fhirtwin.terms.drugs.ingredients import CODES
from fhirtwin.terms.systems import RXNORM
from fhirtwin.twin.state import Source, TwinState


@dataclass(frozen=True, slots=True)
class Medicine:
    """A medicine that is looked at.

    Attributes:
        name: as guidelines call the ingredient, else as RxNorm does.
        code: RxNorm ingredient; `ATC:...` where that has none; empty where neither is known.
        sources: what says that it is taken now; empty where nothing does.
        asked: whether somebody asked for it by name.
    """

    name: str
    code: str = ""
    sources: tuple[Source, ...] = ()
    asked: bool = False


def of_code(code: str, sources: tuple[Source, ...] = ()) -> Medicine:
    """Name an ingredient by its RxNorm code."""
    return Medicine(naming.name_of(code), code, sources)


def named(text: str) -> tuple[Medicine, ...]:
    """Give the medicine that somebody asks for by its name or RxNorm code; each ingredient of a fixed combination.

    Returns:
        Nothing where it is not known: then it must not be said that there is no guidance on it.
    """
    name = " ".join(text.split()).casefold()
    if not name.isdigit():
        known = guideline.drugs().get(name)
        code = known.rxnorm if known else CODES.get(name, "")
        return (Medicine(name, code, asked=True),) if code or currency.is_named(name) else ()
    if name in _by_own_code():
        return (Medicine(_by_own_code()[name], name, asked=True),)
    ingredients = drugs.read([(Code(RXNORM, name), "")]).ingredients
    found = (*map(of_code, ingredients), *map(_of_table, naming.together(ingredients)))
    return tuple(replace(one, asked=True) for one in found)


def current(state: TwinState) -> tuple[Medicine, ...]:
    """The medicines taken on a day, by name; with drugs of the guidelines that are two ingredients of one medicine.

    Args:
        state: the twin as of that day (`fhirtwin.twin.derived.as_of`).
    """
    found: dict[str, set[Source]] = {}
    ingredients: dict[Source, set[str]] = {}
    for fact in state.named("medicine"):
        found.setdefault(str(fact.value), set()).update(fact.sources)
        for source in fact.sources:
            ingredients.setdefault(source, set()).add(str(fact.value))
    medicines = [of_code(code, tuple(sorted(sources))) for code, sources in found.items()]
    for source, codes in sorted(ingredients.items()):
        medicines += [replace(_of_table(name), sources=(source,)) for name in naming.together(codes)]
    return tuple(sorted(medicines, key=lambda one: one.name))


def with_rows(person: Person) -> tuple[Medicine, ...]:
    """All medicines that a guideline has rows of for a gene that is known."""
    return tuple(_of_table(name) for name in guideline.drugs() if any(map(person.knows, genes_of(name))))


def _of_table(name: str) -> Medicine:
    return Medicine(name, guideline.drugs()[name].rxnorm)


@cache
def _by_own_code() -> dict[str, str]:
    return {one.rxnorm: name for name, one in guideline.drugs().items() if one.rxnorm.isdigit()}
