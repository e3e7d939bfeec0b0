"""Profiles judged as resources: whether their slices can be told apart at all, and whether they can be used here.

*Source*: http://hl7.org/fhir/R4/profiling.html#discriminator.
"""

from __future__ import annotations

from collections.abc import Iterator

from fhirtwin.errors import Issue, Unsupported
from fhirtwin.fhir.profiles import compile_profile
from fhirtwin.fhir.profiles.items import Item
from fhirtwin.fhir.profiles.slicing import steps
from fhirtwin.fhir.tables import TYPES, members


def judge(item: Item) -> Iterator[Issue]:
    """Judge a StructureDefinition that constrains a type of R4."""
    definition = item.value
    if definition.get("derivation") != "constraint" or definition["type"] not in TYPES:
        return
    try:
        compile_profile(definition)
    except Unsupported as error:
        yield Issue("not-supported", str(error), (item.place,), severity="warning")
    for part in ("snapshot", "differential"):
        for number, element in enumerate(definition.get(part, {}).get("element", ())):
            kinds = kinds_at(definition["type"], element["path"])
            for each, one in enumerate(element.get("slicing", {}).get("discriminator", ())):
                place = f"{item.place}.{part}.element[{number}].slicing.discriminator[{each}]"
                if kinds and not _leads_somewhere(kinds, one["path"]):
                    text = "Expected a path of elements that the sliced element has, or $this."
                    yield Issue("value", text, (f"{place}.path",))


def kinds_at(type_: str, path: str) -> set[str]:
    """The types that an element may have by R4; empty where the path leads out of what the table tells."""
    kinds = {type_}
    for name in path.split(".")[1:]:
        kinds = _below(kinds, name)
    return kinds - {"Resource"}


def _below(kinds: set[str], name: str) -> set[str]:
    stem = name.removesuffix("[x]")
    return {
        member.kind
        for kind in kinds
        if kind in TYPES
        for member_name, member in members(kind).items()
        if stem in (member_name, member.element)
    }


def _leads_somewhere(kinds: set[str], path: str) -> bool:
    found = steps(path)
    if found is None:
        return False
    for step in found:
        if step.endswith(")") or "Resource" in kinds:
            return True  # a function's result, or any resource
        if step != "$this":
            kinds = _below(kinds, step)
            if not kinds:
                return False
    return True
