"""$translate: `GET` or `POST [base]/ConceptMap/$translate`, `[base]/ConceptMap/[id]/$translate`.

*Source*: http://hl7.org/fhir/R4/conceptmap-operation-translate.html, http://hl7.org/fhir/R4/conceptmap.html.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fhirtwin.access import permit
from fhirtwin.access.visibility import view
from fhirtwin.errors import Incorrect
from fhirtwin.interactions import terminology
from fhirtwin.interactions.context import Answer
from fhirtwin.interactions.operation import Call, Level, Operation, Parameter, with_parameters
from fhirtwin.interactions.terminology import Coded, Terminology

Json = Mapping[str, Any]

_NO_MATCH: Final = frozenset({"unmatched", "disjoint"})
_TURNED: Final = {"wider": "narrower", "narrower": "wider", "subsumes": "specializes", "specializes": "subsumes"}
"""What an equivalence becomes when it is read from target to source."""


@dataclass(frozen=True, slots=True)
class _Match:
    """One line of a map that fits."""

    equivalence: str
    coding: dict[str, str]
    map: str
    product: tuple[Json, ...] = ()


def translate(call: Call) -> Answer:
    """Give what a code becomes by a concept map.

    Lines that hold only together with other elements (`dependsOn`), and what another map would say of a code that this
    one has no line for, are left out, and the message says so.

    Args:
        call: `url`, `conceptMap` or the address name the map. Without one, all maps here are read whose `source` and
            `target` are the value sets named; one of these, or a `targetsystem`, must be. `reverse` reads backwards.

    Returns:
        200 with `result`, `match` for each line that fits, and a `message` when there is more to say.

    Raises:
        NotFound, Gone: there is no such map.
        Incorrect: a parameter is wrong.
    """
    permit(call.caller, "read", "ConceptMap")
    asked = terminology.codings(call)
    with call.services.store.snapshot() as reader:
        maps = list(_maps(call, Terminology(reader, view(call.caller))))
    reverse = call.one("reverse") is True
    found: list[_Match] = []
    left_out = False
    for one in maps:
        for group in one.get("group", ()):
            read = _reversed(group) if reverse else group
            if call.one("targetsystem") in (None, read.get("target")):
                lines = [match for coded in asked for match in _matches(read, coded, str(one.get("url", "")))]
                found += [match for match in lines if match]
                left_out = left_out or None in lines
    result = any(match.equivalence not in _NO_MATCH for match in found)
    told: list[tuple[str, str, Any]] = [("result", "valueBoolean", result)]
    if left_out or not result:
        told.append(("message", "valueString", _message(left_out)))
    return with_parameters([*told, *(("match", "part", _parts(match)) for match in found)])


def _maps(call: Call, known: Terminology) -> Iterator[Json]:
    if call.id or call.one("url") or call.one("conceptMap"):
        yield known.asked(call, "ConceptMap", "conceptMap", "conceptMapVersion")
        return
    source, target = call.one("source"), call.one("target")
    if not (target or source or call.one("targetsystem")):
        raise Incorrect("Name a map by `url` or `conceptMap`, or what to translate to by `target` or `targetsystem`.")
    if call.one("reverse") is True:
        source, target = target, source
    for one in known.each("ConceptMap"):
        if _is_of(one, "source", source) and _is_of(one, "target", target):
            yield one


def _is_of(concept_map: Json, side: str, value_set: str | None) -> bool:
    stated = concept_map.get(f"{side}Uri") or concept_map.get(f"{side}Canonical") or ""
    return value_set is None or str(stated).partition("|")[0] == value_set.partition("|")[0]


def _matches(group: Json, asked: Coded, url: str) -> Iterator[_Match | None]:
    """The lines of a group that fit; None in place of what is left out."""
    if group.get("source", asked.system) != asked.system:
        return
    if asked.version and group.get("sourceVersion", asked.version) != asked.version:
        return
    lines = [line for line in group["element"] if line.get("code") == asked.code]
    for line in lines:
        for target in line.get("target", ()):
            if target.get("dependsOn"):
                yield None
            else:
                yield _Match(target["equivalence"], _coding(group, target), url, tuple(target.get("product", ())))
    if not lines and "unmapped" in group:
        yield from _unmapped(group, asked, url)


def _unmapped(group: Json, asked: Coded, url: str) -> Iterator[_Match | None]:
    """What becomes of a code that has no line: http://hl7.org/fhir/R4/conceptmap.html#unmapped.

    How close it is then nobody stated, which is what `relatedto` says.
    """
    unmapped = group["unmapped"]
    match unmapped["mode"]:
        case "provided":
            yield _Match("relatedto", _coding(group, {"code": asked.code, "display": asked.display}), url)
        case "fixed":
            yield _Match("relatedto", _coding(group, unmapped), url)
        case "other-map":
            yield None


def _reversed(group: Json) -> Json:
    """A group read from target to source."""
    lines = [
        {
            "code": target["code"],
            "target": [
                {
                    **target,
                    "code": line.get("code"),
                    "display": line.get("display", ""),
                    "equivalence": _TURNED.get(target["equivalence"], target["equivalence"]),
                }
            ],
        }
        for line in group["element"]
        for target in line.get("target", ())
        if "code" in target and "code" in line
    ]
    ends = {"source": group.get("target"), "target": group.get("source")}
    return {**{name: end for name, end in ends.items() if end}, "element": lines}


def _coding(group: Json, target: Json) -> dict[str, str]:
    stated = {
        "system": group.get("target"),
        "version": group.get("targetVersion"),
        "code": target.get("code"),
        "display": target.get("display"),
    }
    return {name: value for name, value in stated.items() if value}


def _parts(match: _Match) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = [{"name": "equivalence", "valueCode": match.equivalence}]
    if match.coding.get("code"):
        parts.append({"name": "concept", "valueCoding": match.coding})
    for product in match.product:
        coding = {name: product[name] for name in ("system", "display") if name in product} | {"code": product["value"]}
        said = [{"name": "element", "valueUri": product["property"]}, {"name": "concept", "valueCoding": coding}]
        parts.append({"name": "product", "part": said})
    if match.map:
        parts.append({"name": "source", "valueUri": match.map})
    return parts


def _message(left_out: bool) -> str:
    if left_out:
        return "What holds only together with other elements, or is said by another map, is left out."
    return "No map here says what this code becomes."


OPERATION: Final = Operation(
    name="translate",
    definition="http://hl7.org/fhir/OperationDefinition/ConceptMap-translate",
    types=frozenset({"ConceptMap"}),
    levels=frozenset({Level.TYPE, Level.INSTANCE}),
    run=translate,
    parameters=(
        Parameter("url", "uri"),
        Parameter("conceptMap", "ConceptMap"),
        Parameter("conceptMapVersion", "string"),
        Parameter("code", "code"),
        Parameter("system", "uri"),
        Parameter("version", "string"),
        Parameter("source", "uri"),
        Parameter("coding", "Coding"),
        Parameter("codeableConcept", "CodeableConcept"),
        Parameter("target", "uri"),
        Parameter("targetsystem", "uri"),
        Parameter("reverse", "boolean"),
    ),
)
