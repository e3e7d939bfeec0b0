r"""Compiles the official FHIR R4 search parameters into the one small table that this package reads at run time.

Run as `python -m fhirtwin.fhir.search.compile_parameters FOLDER`, where FOLDER holds `search-parameters.json.gz`. The
result, `parameters.json`, is committed; numbers that it has given stay, so run it over the committed one.

The form of the table (one parameter a line, so that a difference can be read):

    common      name -> "number kind branches", for every resource type
    types       type -> {number, parameters: name -> "number kind branches", notOffered: name -> reason}

`kind` is the type of the parameter, a reference's with the types that it may point at: `reference(Group,Patient)`.
Branches, joined by `|`, are the elements that an expression reads, `path:Type`, as members of the JSON form. In a path,
`component*` is an element that composites are of, `telecom[system=email]` takes those with that value,
`entry[0]` one by its index, `extension[url=...]` those of one definition, `item[extension=...]` those that have one. A
`code(name)` takes codes of that value set, which implies their system; `Reference(Patient)` takes references to that
type alone; `present` gives true for anything that is there, and `falsehood` tells false too where nothing is. A branch
after `-` is not for composites. A composite's branches are its components, joined by `&`; after `~` comes one that
lies outside the element of the others.

*Source*: http://hl7.org/fhir/R4/searchparameter-registry.html, FHIR 4.0.1.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from fhirtwin.fhir.tables import RESOURCE_TYPES, TYPES, VALUE_SETS, Member, lineage, members

TABLE: Final = Path(__file__).with_name("parameters.json")

_NOT_R4: Final = frozenset({"DetectedIssue-status", "DeviceDefinition-classification", "ServiceRequest-order-detail"})
"""Parameters that some packagings of the R4 definitions carry and R4 has not (the pages of the three types list theirs,
http://hl7.org/fhir/R4/servicerequest.html#search and so on)."""

_EXTENSION: Final = "http://hl7.org/fhir/StructureDefinition/"
_ALSO: Final[tuple[tuple[str, str, str, str], ...]] = (
    ("DiagnosticReport", "assessed-condition", "reference(Condition)",
     f"extension[url={_EXTENSION}DiagnosticReport-geneticsAssessedCondition].valueReference:Reference"),
    ("Observation", "gene-identifier", "token",
     f"extension[url={_EXTENSION}observation-geneticsGene].valueCodeableConcept:CodeableConcept"),
    ("Patient", "birthOrderBoolean", "token", "multipleBirthBoolean:boolean | multipleBirthInteger:present"),
    ("Patient", "mothersMaidenName", "string",
     f"extension[url={_EXTENSION}patient-mothersMaidenName].valueString:string"),
    ("QuestionnaireResponse", "item-subject", "reference",
     f"item[extension={_EXTENSION}questionnaireresponse-isSubject].answer.valueReference:Reference"),
)  # fmt: skip
"""Parameters that the file of definitions lacks, in the form of the table: those of R4 for extensions and the like.

*Source*: the pages of the profiles and extension packs of R4, http://hl7.org/fhir/R4/patient-extensions.html#search and
so on. The extension of `mothersMaidenName` is the one that R4 defines; the expression of 4.0.1 names another by a slip
that later releases mend.
"""

_NO_EXTENSION: Final = "R4 defines no extension with the URL that its expression reads."
_NOT_OFFERED: Final[Mapping[tuple[str, str], str]] = {
    ("Device", "din"): _NO_EXTENSION,
    ("Location", "near"): "Distances between places are not computed.",
    ("Observation", "amino-acid-change"): _NO_EXTENSION,
    ("Observation", "dna-variant"): _NO_EXTENSION,
    ("Observation", "gene-amino-acid-change"): _NO_EXTENSION,
    ("Observation", "gene-dnavariant"): _NO_EXTENSION,
    ("Patient", "age"): "An age changes with the day of asking; search by `birthdate`.",
} | {
    (type_, name): "R4 gives this parameter no resource type and no expression."
    for type_ in ("CodeSystem", "ValueSet")
    for name in ("author", "effective", "end", "keyword", "workflow")
}
_PHONETIC: Final = "Names are not compared by sound; search by `name`."
_COMMON_NOT_OFFERED: Final[Mapping[str, str]] = {
    "_content": "Whole resources are not indexed as text.",
    "_filter": "Filter expressions are not offered; use the parameters of the type.",
    "_query": "There are no named queries.",
    "_text": "Narratives are not indexed as text.",
}
_FOLLOWS_EXISTENCE: Final = re.compile(r"(\w+\.\w+)\.exists\(\) and \1 != false")
"""The form of `Patient.deceased`: true or false for every resource."""

_TOKENS: Final = "Coding CodeableConcept Identifier ContactPoint boolean code id string uri"
_READS: Final[Mapping[str, frozenset[str]]] = {
    "token": frozenset(_TOKENS.split()),
    "string": frozenset(("string", "markdown", "HumanName", "Address")),
    "date": frozenset(("date", "dateTime", "instant", "Period", "Timing")),
    "reference": frozenset(("Reference", "canonical", "uri", "Resource")),
    "uri": frozenset(("uri", "url", "canonical")),
    "number": frozenset(("decimal", "integer", "positiveInt", "unsignedInt", "Range")),
    "quantity": frozenset(("Quantity", "Money", "Range", "SampledData")),
}
"""Datatypes that each kind of parameter can compare (http://hl7.org/fhir/R4/search.html#table)."""

_SELDOM_POINTED_AT: Final = frozenset({"Parameters"})
"""Types that the lists of all types leave out."""
_FIRST_OWN: Final = 16
"""The numbers below are for parameters of every type."""
_STEP: Final = re.compile(r"(\w+)(?:\(([^()]*(?:\([^()]*\)[^()]*)*)\))?(?:\[(\d+)\])?")


@dataclass(frozen=True, slots=True)
class _Found:
    """What an expression has reached: the steps of the path so far, and the type there."""

    steps: tuple[str, ...]
    kind: str
    bound: str = ""
    only: str = ""
    """Of a Reference, the only type wanted."""


@dataclass(slots=True)
class _Type:
    branches: dict[str, tuple[_Found, ...]] = field(default_factory=dict)
    lines: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)


def compile_search(folder: Path, before: Mapping[str, Any]) -> str:
    """Compile the definitions in `folder` into the text of the table.

    Args:
        folder: holds `search-parameters.json.gz`.
        before: the table as it was, whose numbers are kept; empty for a first one.

    Returns:
        JSON with sorted keys and a newline at the end.

    Raises:
        FileNotFoundError: the definitions are missing.
        ValueError: an expression has a form that this program does not know.
    """
    with gzip.open(folder / "search-parameters.json.gz") as file:
        entries = [entry["resource"] for entry in json.load(file)["entry"]]
    definitions = [one for one in entries if one["id"] not in _NOT_R4]
    common = {"Resource": _Type()}
    found = {type_: _Type() for type_ in sorted(RESOURCE_TYPES)}
    for definition in definitions:
        for base in definition["base"]:
            target = common["Resource"] if base in ("Resource", "DomainResource") else found[base]
            _compile(definition, base, target)
    _compile_composites(definitions, found)
    for type_, name, kind, branches in _ALSO:
        found[type_].lines[name] = f"{kind} {branches}"
    for (type_, name), reason in _NOT_OFFERED.items():
        found[type_].refused[name] = reason
    common["Resource"].refused.update(_COMMON_NOT_OFFERED)
    return _text(common["Resource"], found, before)


def _compile(definition: dict[str, Any], base: str, into: _Type) -> None:
    name, kind, expression = definition["code"], definition["type"], definition.get("expression", "")
    if kind == "composite" or (base, name) in _NOT_OFFERED or not expression:
        return
    if name == "phonetic":
        into.refused[name] = _PHONETIC
        return
    existence = _FOLLOWS_EXISTENCE.fullmatch(expression)
    if existence:
        found = [
            replace(one, kind="boolean" if one.kind == "boolean" else "falsehood") for one in _read(base, existence[1])
        ]
    else:
        found = [
            one
            for part in _union(expression)
            if _is_for(part, base)
            for one in _read(base, part)
            if _datatype(one.kind) in _READS[kind]
        ]
    if not found:
        raise ValueError(f"{base} {name}: {expression} reaches nothing that a {kind} can compare.")
    into.branches[name] = tuple(dict.fromkeys(found))
    into.lines[name] = kind + _targets(definition, kind)


def _targets(definition: dict[str, Any], kind: str) -> str:
    named = frozenset(definition.get("target", ())) - {"Resource"}
    any_type = not named or named >= RESOURCE_TYPES - _SELDOM_POINTED_AT
    return "" if kind != "reference" or any_type else f"({','.join(sorted(named))})"


def _union(expression: str) -> Iterator[str]:
    """Cut at the bars that stand in no bracket."""
    depth, part = 0, ""
    for character in expression:
        depth += (character == "(") - (character == ")")
        if character == "|" and not depth:
            yield part.strip()
            part = ""
        else:
            part += character
    yield part.strip()


def _is_for(part: str, base: str) -> bool:
    """Whether a part of a union is about this type; one that names no type is about every type."""
    first = part.lstrip("(").partition(".")[0]
    return first in (base, "Resource") or first not in TYPES


def _read(base: str, part: str) -> list[_Found]:
    """Follow one expression from a type to what it reaches."""
    text = re.sub(r"\(([\w.]+) as (\w+)\)", r"\1.as(\2)", part)
    found = [_Found((), base)]
    for step in _steps(text):
        name, argument, at = step
        if name in (base, "Resource") and found[0].steps == ():
            continue
        found = [reached for one in found for reached in _follow(one, name, argument, at)]
    return found


def _steps(text: str) -> Iterator[tuple[str, str | None, str | None]]:
    place = 0
    while place < len(text):
        step = _STEP.match(text, place)
        if not step:
            raise ValueError(f"{text} has a form that this program does not know.")
        yield step[1], step[2], step[3]
        place = step.end() + 1


def _follow(found: _Found, name: str, argument: str | None, at: str | None) -> Iterator[_Found]:
    if name in ("as", "ofType") and argument:
        wanted = argument if argument in TYPES else argument[0].lower() + argument[1:]
        if found.kind == wanted:
            yield found
    elif name == "where" and argument:
        yield _where(found, argument)
    elif argument is None:
        for member_name, member in members(found.kind).items():
            if member.element == name:
                step = member_name + (f"[{at}]" if at else "")
                yield _Found((*found.steps, step), member.kind, _system_of(member))
    else:
        raise ValueError(f"`{name}` is no function that this program knows.")


def _where(found: _Found, argument: str) -> _Found:
    resolved = re.fullmatch(r"resolve\(\) is (\w+)", argument)
    if resolved:
        return replace(found, only=resolved[1])
    equal = re.fullmatch(r"(\w+)='([\w-]+)'", argument)
    if not equal:
        raise ValueError(f"`where({argument})` is no condition that this program knows.")
    return replace(found, steps=(*found.steps[:-1], f"{found.steps[-1]}[{equal[1]}={equal[2]}]"))


def _system_of(member: Member) -> str:
    return member.bound if member.kind == "code" and member.bound in VALUE_SETS else ""


def _datatype(kind: str) -> str:
    """The type that says how a value is compared: Age, Count and Duration are quantities."""
    return "Quantity" if kind in TYPES and "Quantity" in lineage(kind) else kind


def _compile_composites(definitions: Iterable[dict[str, Any]], found: Mapping[str, _Type]) -> None:
    """Let composites join the rows of their components, which say for each value what element it is within."""
    names = {definition["url"]: definition["code"] for definition in definitions}
    shared: dict[str, set[str]] = defaultdict(set)
    used: dict[tuple[str, str], set[tuple[str, ...]]] = defaultdict(set)
    for definition in definitions:
        if definition["type"] != "composite":
            continue
        for type_ in definition["base"]:
            bases = [
                one for part in _union(definition["expression"]) if _is_for(part, type_) for one in _read(type_, part)
            ]
            shared[type_].update(".".join(base.steps) for base in bases if base.steps)
            listed = []
            for component in definition["component"]:
                apart = component["expression"].startswith("%resource.")
                reached = _reached(type_, bases, component["expression"])
                name = _component(names[component["definition"]], reached, found[type_])
                used[type_, name].update(one.steps for one in reached)
                listed.append(f"~{name}" if apart else name)
            found[type_].lines[definition["code"]] = "composite " + " & ".join(listed)
    for type_, row in found.items():
        for name, branches in row.branches.items():
            seen = used.get((type_, name))
            texts = (_branch(one, shared[type_], hidden=seen is not None and one.steps not in seen) for one in branches)
            row.lines[name] += " " + " | ".join(texts)


def _component(named: str, reached: Iterable[_Found], row: _Type) -> str:
    """Name the parameter of a component: what its expression reads counts where its definition is another by a slip."""
    read = {one.steps for one in reached}
    fitting = (name for name, branches in row.branches.items() if read == {one.steps for one in branches})
    return named if read & {one.steps for one in row.branches[named]} else next(fitting)


def _reached(type_: str, bases: Iterable[_Found], expression: str) -> list[_Found]:
    if expression.startswith("%resource."):
        return _read(type_, expression.removeprefix("%resource."))
    reached: list[_Found] = []
    for base in bases:
        for part in _union(expression):
            found = [base]
            for name, argument, at in _steps(part):
                found = [after for one in found for after in _follow(one, name, argument, at)]
            reached += found
    return reached


def _branch(found: _Found, shared: Iterable[str], *, hidden: bool) -> str:
    steps = list(found.steps)
    for count in range(1, len(steps) + 1):
        if ".".join(found.steps[:count]) in shared:
            steps[count - 1] += "*"
    within = found.bound or found.only
    kind = _datatype(found.kind) + (f"({within})" if within else "")
    return f"{'-' if hidden else ''}{'.'.join(steps)}:{kind}"


def _text(common: _Type, found: Mapping[str, _Type], before: Mapping[str, Any]) -> str:
    _write_branches(common)
    old_types = before.get("types", {})
    type_numbers = _numbers(found, {name: row["number"] for name, row in old_types.items()}, first=1)
    types = {}
    for type_, row in found.items():
        types[type_] = {
            "number": type_numbers[type_],
            "parameters": _numbered(row.lines, old_types.get(type_, {}).get("parameters", {}), _FIRST_OWN),
            "notOffered": row.refused,
        }
    table = {
        "common": {
            "parameters": _numbered(common.lines, before.get("common", {}).get("parameters", {}), first=1),
            "notOffered": common.refused,
        },
        "types": types,
    }
    return json.dumps(table, indent=1, sort_keys=True, ensure_ascii=True) + "\n"


def _write_branches(common: _Type) -> None:
    for name, branches in common.branches.items():
        common.lines[name] += " " + " | ".join(_branch(one, (), hidden=False) for one in branches)


def _numbered(lines: Mapping[str, str], before: Mapping[str, str], first: int) -> dict[str, str]:
    numbers = _numbers(lines, {name: int(line.partition(" ")[0]) for name, line in before.items()}, first)
    return {name: f"{numbers[name]} {line}" for name, line in lines.items()}


def _numbers(names: Iterable[str], before: Mapping[str, int], first: int) -> dict[str, int]:
    """Number names for good: those known keep theirs, new ones come after all that were ever given."""
    numbers = dict(before)
    following = max(numbers.values(), default=first - 1) + 1
    for name in sorted(names):
        if name not in numbers:
            numbers[name] = following
            following += 1
    return numbers


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m fhirtwin.fhir.search.compile_parameters FOLDER")
    earlier = json.loads(TABLE.read_text(encoding="ascii")) if TABLE.exists() else {}
    TABLE.write_text(compile_search(Path(sys.argv[1]), earlier), encoding="ascii")
