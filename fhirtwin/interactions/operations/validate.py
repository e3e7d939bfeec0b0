"""$validate: `POST [base]/[type]/$validate`, `[base]/[type]/[id]/$validate`: tells what is wrong and stores nothing.

*Source*: http://hl7.org/fhir/R4/resource-operation-validate.html.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from fhirtwin.access import Interaction, permit, unenforced
from fhirtwin.definitions import Definitions
from fhirtwin.errors import FhirtwinError, Incorrect, Issue, Unsupported
from fhirtwin.fhir import codec
from fhirtwin.fhir.profiles.known import R4
from fhirtwin.fhir.scrutiny import scrutinise
from fhirtwin.fhir.tables import TYPES
from fhirtwin.fhir.validator import validate
from fhirtwin.interactions import offered, read
from fhirtwin.interactions.context import Answer, outcome_bytes
from fhirtwin.interactions.operation import ANY_TYPE, RESOURCE, Call, Level, Operation, Parameter
from fhirtwin.settings import Settings
from fhirtwin.store import Reader

MODES: Final = ("create", "update", "delete", "profile")

_WRITES: Final[Mapping[str, Interaction]] = {"create": "create", "update": "update"}
"""The modes that are about storing the resource."""

_UNREADABLE: Final = frozenset({"structure", "value", "required"})
"""Issue types of the first judgement after which the closer one has nothing to stand on."""


def judge(call: Call) -> Answer:
    """Judge a resource: one that is sent, or one that is stored.

    Args:
        call: `resource`; `mode`, what is meant to be done with it; `profile`, the canonical URL of a profile that it
            shall conform to.

    Returns:
        200 with an OperationOutcome, also where the resource is wrong.

    Raises:
        NotFound: nothing is stored there and nothing was sent.
        Gone: what was stored there is deleted, and nothing was sent.
        Incorrect: the question itself is wrong: an unknown mode, no resource.
    """
    mode: str = call.one("mode") or ""
    if mode and mode not in MODES:
        raise Incorrect(f"`mode` is one of {', '.join(MODES)}.")
    settings = call.services.settings
    with call.services.store.snapshot() as reader:
        if mode == "delete":
            return _answer(_deletion(reader, call.type, call.id))
        resource = call.one("resource")
        if resource is None:
            if not call.id or mode in ("create", "update"):
                raise Incorrect("Send the resource, as the body or as the parameter `resource`.")
            permit(call.caller, "read", call.type)
            stored = read.current(reader, call.caller, call.type, call.id)
            resource = codec.reread(stored.data)
        judged = _judged(resource, call.type, call.one("profile") or "", reader, settings)
        return _answer([*judged, *_use(call, reader, resource, mode), *_refusal(call.type, resource, mode, judged)])


OPERATION: Final = Operation(
    name="validate",
    definition="http://hl7.org/fhir/OperationDefinition/Resource-validate",
    types=frozenset({ANY_TYPE}),
    levels=frozenset({Level.TYPE, Level.INSTANCE}),
    run=judge,
    parameters=(
        Parameter("resource", RESOURCE, judged=False),
        Parameter("mode", "code"),
        Parameter("profile", "uri"),
    ),
)


def _answer(issues: Iterable[Issue]) -> Answer:
    told = list(issues) or [Issue("informational", "All OK.", severity="information")]
    return Answer(200, outcome_bytes(told))


# ---- the judgement --------------------------------------------------------------------------------------------------


def _judged(resource: dict[str, Any], type_: str, profile: str, reader: Reader, settings: Settings) -> list[Issue]:
    issues = validate(resource, type=type_)
    if any(issue.code in _UNREADABLE for issue in issues):
        text = "Profiles and what else is judged of a resource that can be read were not looked at yet."
        return [*issues, Issue("incomplete", text, severity="information")]
    known = Definitions(reader)
    if profile and not _is_known(known, profile):
        text = "The profile asked for is not known here: store its StructureDefinition, then ask again."
        issues.append(Issue("not-found", text))
        wanted: tuple[str, ...] = ()
    else:
        wanted = (profile,) if profile else ()
    return [*issues, *scrutinise(resource, known, wanted, unknown_extensions=settings.unknown_extensions)]


def _is_known(known: Definitions, canonical: str) -> bool:
    if canonical.partition("|")[0].removeprefix(R4) in TYPES:
        return True
    try:
        return known.profile(canonical) is not None
    except Unsupported:
        return True  # and why it cannot be used is told with the rest


def _use(call: Call, reader: Reader, resource: Mapping[str, Any], mode: str) -> list[Issue]:
    """Tell what would happen to the id if the resource were created, or updated, now."""
    issues: list[Issue] = []
    own = resource.get("id")
    if mode == "create" and call.id:
        issues.append(Issue("business-rule", "A create has no id in its URL; leave it out, or ask for mode `update`."))
    if mode == "update":
        if own is None or (call.id and own != call.id):
            text = "The body of an update must have the id that the URL names."
            issues.append(Issue("value" if own else "required", text, (f"{call.type}.id",)))
        elif isinstance(own, str) and not _is_there(reader, call.type, own):
            text = "There is no such resource; an update would create it."
            issues.append(Issue("informational", text, severity="information"))
    return issues


def _refusal(type_: str, resource: Mapping[str, Any], mode: str, judged: Iterable[Issue]) -> list[Issue]:
    """Tell why a create or update would be refused of a resource that is valid; one that is not is refused anyway."""
    interaction = _WRITES.get(mode)
    if interaction is None:
        return []
    try:
        offered.require(type_, interaction)
        if not any(issue.severity == "error" for issue in judged):
            unenforced.refuse(resource)
    except FhirtwinError as error:
        return list(error.issues)
    return []


def _deletion(reader: Reader, type_: str, id_: str) -> list[Issue]:
    if not id_:
        raise Incorrect("Name in the URL what is to be deleted: [type]/[id]/$validate.")
    if _is_there(reader, type_, id_):
        return []
    text = "There is no such resource, or it is deleted already: a delete would change nothing."
    return [Issue("not-found", text, severity="information")]


def _is_there(reader: Reader, type_: str, id_: str) -> bool:
    current = reader.read(type_, id_)
    return current is not None and not current.deleted
