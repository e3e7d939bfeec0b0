"""The index rows of one value, by kind of parameter and datatype. The tables say what the columns mean."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from hashlib import sha256
from math import inf
from types import MappingProxyType
from typing import Any, Final

from fhirtwin.fhir import dates, references
from fhirtwin.fhir.search.folding import fold, microseconds
from fhirtwin.fhir.search.parameters import Branch, Kind, SearchParameter
from fhirtwin.fhir.tables import VALUE_SETS
from fhirtwin.store.search_tables import MAX_TEXT, WINDOW
from fhirtwin.terms import ucum

BEGINNING: Final = microseconds(datetime.min.replace(tzinfo=UTC))
END: Final = microseconds(datetime.max.replace(tzinfo=UTC))
"""Where a period without start or end begins or ends."""

_LONGEST_USUAL_DATE: Final = len("2024-01-01T00:00:00.000000+00:00")
_CURRENCIES: Final = "urn:iso:std:iso:4217"


@dataclass(slots=True)
class Rows:
    """The index rows of one resource, by table; each begins with the parameter's number and the item."""

    base_url: str = ""
    tokens: set[tuple[int, int, str, str]] = field(default_factory=set)
    strings: set[tuple[int, int, str, str]] = field(default_factory=set)
    dates: set[tuple[int, int, int, int]] = field(default_factory=set)
    references: set[tuple[int, int, str, str, str]] = field(default_factory=set)
    uris: set[tuple[int, int, str, str]] = field(default_factory=set)
    numbers: set[tuple[int, int, float | None, float | None]] = field(default_factory=set)
    quantities: set[tuple[Any, ...]] = field(default_factory=set)

    def by_table(self) -> tuple[set[Any], ...]:
        """The rows in the order of `search_tables.INDEXES`."""
        return (self.tokens, self.strings, self.dates, self.references, self.uris, self.numbers, self.quantities)

    def __len__(self) -> int:
        return sum(map(len, self.by_table()))


Write = Callable[[Rows, Any, tuple[int, ...], int], None]
"""Adds the rows of a value for the parameters of these numbers, as of an item."""


def kept(text: str) -> str:
    """The form in which a text is kept and asked for where it is compared as a whole: long ones end in a digest."""
    return text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + sha256(text.encode()).hexdigest()


def token_code(code: str, parameter: SearchParameter) -> str:
    """A code, an identifier's value or another token of a parameter in the form it is kept and asked for."""
    return _token(code, exact=parameter.exact_case)


def _token(code: str, *, exact: bool) -> str:
    return kept(code if exact else code.casefold())


def token_writer(branch: Branch, exact: bool) -> Write:
    """Make what writes the tokens of one datatype."""
    match branch.kind:
        case "CodeableConcept":
            return _concept_writer(exact)
        case "Coding":
            return _coding_writer(exact)
        case "Identifier":
            return _identifier_writer(exact)
        case "code":
            return _code_writer(branch.within, exact)
        case "ContactPoint":
            return lambda made, value, numbers, item: _add_token(
                made, numbers, item, _token(value.get("value", ""), exact=exact), ""
            )
        case "boolean":
            return lambda made, value, numbers, item: _add_token(made, numbers, item, str(value).lower(), "")
        case "present" | "falsehood":
            return lambda made, _value, numbers, item: _add_token(made, numbers, item, "true", "")
        case _:
            return lambda made, value, numbers, item: _add_token(made, numbers, item, _token(value, exact=exact), "")


def reference_writer(branch: Branch) -> Write:
    """Make what writes the references of one datatype."""
    match branch.kind:
        case "Reference":
            return _reference_to_writer(branch.within)
        case "Resource":
            return _add_inline
        case _:
            return _add_canonical_reference


def _add_token(made: Rows, numbers: tuple[int, ...], item: int, code: str, system: str) -> None:
    for number in numbers:
        made.tokens.add((number, item, code, system))


def _concept_writer(exact: bool) -> Write:
    add_coding = _coding_writer(exact)

    def write(made: Rows, value: Any, numbers: tuple[int, ...], item: int) -> None:
        codings = value.get("coding", ())
        for coding in codings:
            add_coding(made, coding, numbers, item)
        if not codings:
            _add_token(made, numbers, item, "", "")
        if "text" in value:
            _add_text(made, value["text"], numbers, item)

    return write


def _coding_writer(exact: bool) -> Write:
    def write(made: Rows, value: Any, numbers: tuple[int, ...], item: int) -> None:
        code = _token(value.get("code", ""), exact=exact)
        _add_token(made, numbers, item, code, kept(value.get("system", "")))
        if "display" in value:
            _add_text(made, value["display"], numbers, item)

    return write


def _identifier_writer(exact: bool) -> Write:
    def write(made: Rows, value: Any, numbers: tuple[int, ...], item: int) -> None:
        code = _token(value.get("value", ""), exact=exact)
        _add_token(made, numbers, item, code, kept(value.get("system", "")))
        type_ = value.get("type")
        if not type_:
            return
        for coding in type_.get("coding", ()):
            of_type = kept(f"{coding.get('system', '')}|{coding.get('code', '')}")
            for number in numbers:
                made.tokens.add((-number, item, code, of_type))
        if "text" in type_:
            _add_text(made, type_["text"], numbers, item)

    return write


def _code_writer(value_set: str, exact: bool) -> Write:
    systems = VALUE_SETS.get(value_set, {})

    def write(made: Rows, value: Any, numbers: tuple[int, ...], item: int) -> None:
        code = _token(value, exact=exact)
        implied = [system for system, codes in systems.items() if value in codes] or [""]
        for system in implied:
            _add_token(made, numbers, item, code, system)

    return write


def _add_text(made: Rows, text: str, numbers: tuple[int, ...], item: int) -> None:
    folded = fold(text)
    for number in numbers:
        made.strings.add((number, item, folded[:MAX_TEXT], kept(text)))
    for begins in range(WINDOW, len(folded) - MAX_TEXT + WINDOW, WINDOW):
        for number in numbers:
            made.strings.add((-number, item, folded[begins : begins + MAX_TEXT], ""))


def _add_name(made: Rows, value: Any, numbers: tuple[int, ...], item: int) -> None:
    """Add the texts of a HumanName; R4 leaves the choice to the server: all of them."""
    _add_members(made, value, ("family", "given", "prefix", "suffix", "text"), numbers, item)


def _add_address(made: Rows, value: Any, numbers: tuple[int, ...], item: int) -> None:
    """Add the texts of an Address, as R4 lists them at the parameters that read one."""
    names = ("line", "city", "district", "state", "country", "postalCode", "text")
    _add_members(made, value, names, numbers, item)


def _add_members(
    made: Rows, value: Mapping[str, Any], names: Iterable[str], numbers: tuple[int, ...], item: int
) -> None:
    for name in names:
        found = value.get(name)
        for text in found if isinstance(found, list) else (found,):
            if text is not None:
                _add_text(made, text, numbers, item)


def _add_date(made: Rows, value: Any, numbers: tuple[int, ...], item: int) -> None:
    starts, ends = _interval(value)
    for number in numbers:
        made.dates.add((number, item, starts, ends))


def _add_period(made: Rows, value: Any, numbers: tuple[int, ...], item: int) -> None:
    starts = _interval(value["start"])[0] if "start" in value else BEGINNING
    ends = _interval(value["end"])[1] if "end" in value else END
    for number in numbers:
        made.dates.add((number, item, starts, ends))


def _add_timing(made: Rows, value: Any, numbers: tuple[int, ...], item: int) -> None:
    """Add the events of a Timing, and the period it repeats in."""
    for event in value.get("event", ()):
        if event is not None:
            _add_date(made, event, numbers, item)
    bounds = value.get("repeat", {}).get("boundsPeriod")
    if bounds is not None:
        _add_period(made, bounds, numbers, item)
    elif not value.get("event"):
        _add_period(made, {}, numbers, item)


def _interval(text: str) -> tuple[int, int]:
    """A date as an interval; the same ones come again and again, but one may have any number of digits."""
    return _of_date(text) if len(text) <= _LONGEST_USUAL_DATE else _of_date.__wrapped__(text)


@lru_cache(maxsize=4096)
def _of_date(text: str) -> tuple[int, int]:
    interval = dates.parse(text)
    return microseconds(interval.start), microseconds(interval.end)


def _reference_to_writer(only: str) -> Write:
    def write(made: Rows, value: Any, numbers: tuple[int, ...], item: int) -> None:
        text = value.get("reference", "")
        found = references.parse(text)
        if only and only not in (found.type, value.get("type")):
            return
        at = ("", "", "")
        if found.id and found.type:
            at = (found.id, found.type, "" if found.base == made.base_url else kept(found.base))
        for number in numbers:
            made.references.add((number, item, *at))
            if found.kind in ("urn", "absolute") and not found.type:
                made.uris.add((number, item, kept(text), ""))
        identifier = value.get("identifier")
        if identifier:
            code = _token(identifier.get("value", ""), exact=True)
            _add_token(made, numbers, item, code, kept(identifier.get("system", "")))

    return write


def _add_inline(made: Rows, value: Any, numbers: tuple[int, ...], item: int) -> None:
    """Add the resource that stands in an entry of a Bundle as what it is: a Type and an id."""
    for number in numbers:
        made.references.add((number, item, value.get("id", ""), value["resourceType"], ""))


def _add_canonical_reference(made: Rows, value: Any, numbers: tuple[int, ...], item: int) -> None:
    _add_canonical(made, value, numbers, item)
    for number in numbers:
        made.references.add((number, item, "", "", ""))


def _add_canonical(made: Rows, value: Any, numbers: tuple[int, ...], item: int) -> None:
    uri, _, version = value.partition("|")
    for number in numbers:
        made.uris.add((number, item, kept(uri), kept(version)))


def _add_uri(made: Rows, value: Any, numbers: tuple[int, ...], item: int) -> None:
    for number in numbers:
        made.uris.add((number, item, kept(value), ""))


def _add_number(made: Rows, value: Any, numbers: tuple[int, ...], item: int) -> None:
    for number in numbers:
        made.numbers.add((number, item, float(value), float(value)))


def _add_number_range(made: Rows, value: Any, numbers: tuple[int, ...], item: int) -> None:
    low, high = _bounds(value)
    for number in numbers:
        made.numbers.add((number, item, _double(low), _double(high)))


_Bound = Decimal | float | None
"""A number, an open side, or nothing to compare."""


def _add_quantity(made: Rows, value: Any, numbers: tuple[int, ...], item: int) -> None:
    amount = value.get("value")
    low: _Bound = amount
    high: _Bound = amount
    comparator = value.get("comparator", "") if amount is not None else ""
    if comparator.startswith("<"):
        low = -inf
    elif comparator.startswith(">"):
        high = inf
    _add_interval(made, numbers, item, low, high, value)


def _add_range(made: Rows, value: Any, numbers: tuple[int, ...], item: int) -> None:
    low, high = _bounds(value)
    _add_interval(made, numbers, item, low, high, value.get("low") or value.get("high") or {})


def _add_money(made: Rows, value: Any, numbers: tuple[int, ...], item: int) -> None:
    amount = value.get("value")
    currency = {"system": _CURRENCIES, "code": value.get("currency", "")}
    _add_interval(made, numbers, item, amount, amount, currency)


_SAMPLE: Final = re.compile(r"-?[0-9]{1,40}(?:\.[0-9]{1,40})?")


def _add_samples(made: Rows, value: Any, numbers: tuple[int, ...], item: int) -> None:
    """Add the bounds of the samples, as R4 says at `Observation.value-quantity`."""
    limits = {"L": value.get("lowerLimit"), "U": value.get("upperLimit")}
    samples = [
        sample
        for text in value.get("data", "").split()
        for sample in (Decimal(text) if _SAMPLE.fullmatch(text) else limits.get(text),)
        if sample is not None
    ]
    origin = value.get("origin", {})
    low = high = None
    if samples:
        zero, factor = origin.get("value", 0), value.get("factor", 1)
        low, high = sorted(zero + factor * sample for sample in (min(samples), max(samples)))
    _add_interval(made, numbers, item, low, high, origin)


def _bounds(value: Mapping[str, Any]) -> tuple[_Bound, _Bound]:
    """The bounds of a Range; a side that is not there is open, and an empty one has nothing to compare."""
    low, high = (value.get(name, {}).get("value") for name in ("low", "high"))
    if low is None and high is None:
        return None, None
    return -inf if low is None else low, inf if high is None else high


def _add_interval(
    made: Rows, numbers: tuple[int, ...], item: int, low: _Bound, high: _Bound, unit: Mapping[str, Any]
) -> None:
    system, code = unit.get("system", ""), unit.get("code", "")
    known = ucum.canonical(code) if system == ucum.SYSTEM else None
    row = (
        _double(low),
        _double(high),
        kept(system),
        kept(code),
        kept(unit.get("unit", "")),
        kept(known.base) if known else None,
        _in_base(low, known),
        _in_base(high, known),
    )
    for number in numbers:
        made.quantities.add((number, item, *row))


def _in_base(bound: _Bound, unit: ucum.Unit | None) -> float | None:
    if unit is None or bound is None:
        return None
    return bound if isinstance(bound, float) else _double(unit.into_base(bound))


def _double(bound: _Bound | Fraction) -> float | None:
    """The nearest number of double precision; one too large for it counts as infinite."""
    if bound is None:
        return None
    try:
        return float(bound)
    except OverflowError:
        return inf if bound > 0 else -inf


WRITERS: Final[Mapping[tuple[Kind, str], Write]] = MappingProxyType(
    {
        (Kind.STRING, "string"): _add_text,
        (Kind.STRING, "markdown"): _add_text,
        (Kind.STRING, "HumanName"): _add_name,
        (Kind.STRING, "Address"): _add_address,
        (Kind.DATE, "date"): _add_date,
        (Kind.DATE, "dateTime"): _add_date,
        (Kind.DATE, "instant"): _add_date,
        (Kind.DATE, "Period"): _add_period,
        (Kind.DATE, "Timing"): _add_timing,
        (Kind.URI, "uri"): _add_uri,
        (Kind.URI, "url"): _add_uri,
        (Kind.URI, "canonical"): _add_canonical,
        (Kind.NUMBER, "decimal"): _add_number,
        (Kind.NUMBER, "integer"): _add_number,
        (Kind.NUMBER, "Range"): _add_number_range,
        (Kind.QUANTITY, "Quantity"): _add_quantity,
        (Kind.QUANTITY, "Range"): _add_range,
        (Kind.QUANTITY, "Money"): _add_money,
        (Kind.QUANTITY, "SampledData"): _add_samples,
    }
)
"""By kind of parameter and datatype; tokens and references, which need to know more, have makers of their own."""
