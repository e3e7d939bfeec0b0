"""A twin as JSON and back, without losing a digit: values carry their kind, decimals are text."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from fhirtwin.errors import Incorrect
from fhirtwin.twin.state import Fact, PatientKey, Source, TwinState, Unused

Json = dict[str, Any]


def to_json(state: TwinState) -> Json:
    """Give a whole twin as plain JSON values, in a stable order."""
    return {
        "patient": {"origin": state.patient.origin, "id": state.patient.id},
        "version": state.version,
        "facts": [fact_to_json(f) for f in state.facts],
        "lists": sorted(state.lists),
        "unused": [unused_to_json(u) for u in state.unused],
        "reference": state.reference,
    }


def from_json(data: Mapping[str, Any]) -> TwinState:
    """Read back what `to_json` gave.

    Raises:
        Incorrect: it is not of that form.
    """
    try:
        return TwinState(
            patient=PatientKey(data["patient"]["origin"], data["patient"]["id"]),
            version=data["version"],
            facts=tuple(fact_from_json(f) for f in data["facts"]),
            lists=frozenset(data["lists"]),
            unused=tuple(unused_from_json(u) for u in data["unused"]),
            reference=data["reference"],
        )
    except (KeyError, TypeError) as wrong:
        raise Incorrect("this is not a twin as fhirtwin writes it") from wrong


def fact_to_json(fact: Fact) -> Json:
    """Give one fact as plain JSON values; members at their defaults are left out."""
    written: Json = {
        "name": fact.name,
        "value": _value_to_json(fact.value),
        "sources": [source_to_json(s) for s in fact.sources],
    }
    written.update({name: text for name in _TEXTS if (text := getattr(fact, name))})
    if not fact.active:
        written["active"] = False
    return written


def fact_from_json(data: Mapping[str, Any]) -> Fact:
    """Read back what `fact_to_json` gave.

    Raises:
        Incorrect: it is not of that form.
    """
    try:
        return Fact(
            name=data["name"],
            value=_value_from_json(data["value"]),
            sources=tuple(source_from_json(s) for s in data["sources"]),
            active=data.get("active", True),
            **{name: data[name] for name in _TEXTS if name in data},
        )
    except (KeyError, TypeError, InvalidOperation) as wrong:
        raise Incorrect("this is not a fact as fhirtwin writes it") from wrong


def source_to_json(source: Source) -> Json:
    """Give a source as plain JSON values."""
    return {"origin": source.origin, "type": source.type, "id": source.id, "version": source.version}


def source_from_json(data: Mapping[str, Any]) -> Source:
    """Read back what `source_to_json` gave."""
    return Source(data["origin"], data["type"], data["id"], data["version"])


def unused_to_json(unused: Unused) -> Json:
    """Give what was not used, and why, as plain JSON values."""
    return {"source": source_to_json(unused.source), "reason": unused.reason}


def unused_from_json(data: Mapping[str, Any]) -> Unused:
    """Read back what `unused_to_json` gave."""
    return Unused(source_from_json(data["source"]), data["reason"])


_TEXTS = ("unit", "time", "end", "system", "code", "display", "note")


def _value_to_json(value: Decimal | bool | str) -> Json:
    if isinstance(value, bool):
        return {"flag": value}
    return {"decimal": str(value)} if isinstance(value, Decimal) else {"text": value}


def _value_from_json(data: Mapping[str, Any]) -> Decimal | bool | str:
    if "decimal" in data:
        return Decimal(data["decimal"])
    value: bool | str = data["flag"] if "flag" in data else data["text"]
    return value
