"""$validate: `POST [base]/[type]/$validate`, `[base]/[type]/[id]/$validate`: tells what is wrong and stores nothing.

*Source*: http://hl7.org/fhir/R4/resource-operation-validate.html.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fhirtwin.access import Caller, permit, unenforced
from fhirtwin.definitions import Definitions
from fhirtwin.errors import FhirtwinError, Incorrect, Issue, Unsupported
from fhirtwin.fhir import codec
from fhirtwin.fhir.profiles.known import R4
from fhirtwin.fhir.scrutiny import scrutinise
from fhirtwin.fhir.tables import TYPES
from fhirtwin.fhir.validator import validate
from fhirtwin.interactions import read
from fhirtwin.interactions.context import Answer, Services, is_id, outcome_bytes, require_type
from fhirtwin.settings import Settings
from fhirtwin.store import Reader

MODES: Final = ("create", "update", "delete", "profile")
DEFINITION: Final = "http://hl7.org/fhir/OperationDefinition/Resource-validate"

_NAMES: Final = ("mode", "profile")
_UNREADABLE: Final = frozenset({"structure", "value", "required"})
"""Issue types of the first judgement after which the closer one has nothing to stand on."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a caller wants to know.

    Attributes:
        resource: to be judged; None where none was sent.
        mode: one of `MODES`, or empty.
        profile: a canonical URL, or empty.
        issues: why the resource that was sent could not be read.
    """

    resource: dict[str, Any] | None
    mode: str = ""
    profile: str = ""
    issues: tuple[Issue, ...] = ()


def validate_operation(
    services: Services,
    caller: Caller,
    type_: str,
    id_: str | None,
    resource_bytes: bytes | None,
    mode: str | None = None,
    profile: str | None = None,
) -> Answer:
    """Judge a resource: one that is sent, or one that is stored.

    Args:
        services: the parts.
        caller: who asks.
        type_: resource type, as in the URL.
        id_: logical id, on the instance level.
        resource_bytes: the body: the resource, or Parameters with `resource`, `mode` and `profile`; None for none.
        mode: of the URL: what is meant to be done with the resource.
        profile: of the URL: canonical URL of a profile that it shall conform to.

    Returns:
        200 with an OperationOutcome, also where the resource is wrong or cannot be read.

    Raises:
        NotFound: no such type, or nothing is stored there and nothing was sent.
        Gone: what was stored there is deleted, and nothing was sent.
        Incorrect: the question itself is wrong: an unknown mode, a parameter twice, no resource.
    """
    permit(caller, "operation", type_)
    require_type(type_)
    asked = _asked(type_, resource_bytes, {"mode": mode or "", "profile": profile or ""}, services.settings)
    if asked.mode and asked.mode not in MODES:
        raise Incorrect(f"`mode` is one of {', '.join(MODES)}.")
    if id_ is not None and not is_id(id_):
        raise Incorrect("A logical id has 1 to 64 letters, digits, dots and hyphens.")
    with services.store.snapshot() as reader:
        if asked.mode == "delete":
            return _answer(_deletion(reader, type_, id_))
        if asked.issues:
            return _answer(asked.issues)
        resource = asked.resource
        if resource is None:
            if id_ is None or asked.mode in ("create", "update"):
                raise Incorrect("Send the resource, as the body or as the parameter `resource`.")
            permit(caller, "read", type_)
            stored = read.current(reader, type_, id_)
            resource = codec.decode(stored.data, max_depth=services.settings.max_depth + 1)
        return _answer(
            [*_judged(resource, type_, asked, reader, services.settings), *_use(reader, resource, id_, asked)]
        )


def _answer(issues: Iterable[Issue]) -> Answer:
    told = list(issues) or [Issue("informational", "All OK.", severity="information")]
    return Answer(200, outcome_bytes(told))


# ---- what is asked --------------------------------------------------------------------------------------------------


def _asked(type_: str, data: bytes | None, given: Mapping[str, str], settings: Settings) -> Asked:
    if not data:
        return Asked(None, given["mode"], given["profile"])
    try:
        body = codec.decode(data, max_depth=settings.max_depth + 4)  # `resource` of Parameters lies 4 levels deep
    except Incorrect as error:
        issues = tuple(Issue("structure", one.text, one.expression, severity="fatal") for one in error.issues)
        return Asked(None, given["mode"], given["profile"], issues)
    if not _is_wrapped(body, type_):
        return Asked(body, given["mode"], given["profile"])
    return _unwrapped(body, given)


def _is_wrapped(body: Mapping[str, Any], type_: str) -> bool:
    """Whether the body is the operation's Parameters, and not a Parameters resource to be judged."""
    if body.get("resourceType") != "Parameters":
        return False
    return type_ != "Parameters" or any(one.get("name") == "resource" for one in _parameters(body))


def _parameters(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = body.get("parameter", [])
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _unwrapped(body: Mapping[str, Any], given: Mapping[str, str]) -> Asked:
    values = dict(given)
    resource: dict[str, Any] | None = None
    for number, parameter in enumerate(_parameters(body)):
        place = f"Parameters.parameter[{number}]"
        name = parameter.get("name")
        if name == "resource" and resource is None and isinstance(parameter.get("resource"), dict):
            resource = parameter["resource"]
        elif isinstance(name, str) and name in _NAMES and not values[name]:
            values[name] = _text(parameter, place)
        else:
            raise Unsupported(
                "Expected `resource` (with a resource), `mode` and `profile`, each at most once.", expression=place
            )
    return Asked(resource, values["mode"], values["profile"])


def _text(parameter: Mapping[str, Any], place: str) -> str:
    texts = [value for name, value in parameter.items() if name.startswith("value") and isinstance(value, str)]
    if len(texts) != 1:
        raise Incorrect("This parameter must have one simple value.", expression=place)
    return texts[0]


# ---- the judgement --------------------------------------------------------------------------------------------------


def _judged(resource: dict[str, Any], type_: str, asked: Asked, reader: Reader, settings: Settings) -> list[Issue]:
    issues = validate(resource, type=type_)
    if any(issue.code in _UNREADABLE for issue in issues):
        text = "Profiles and what else is judged of a resource that can be read were not looked at yet."
        return [*issues, Issue("incomplete", text, severity="information")]
    known = Definitions(reader)
    if asked.profile and not _is_known(known, asked.profile):
        text = "The profile asked for is not known here: store its StructureDefinition, then ask again."
        issues.append(Issue("not-found", text))
        wanted: tuple[str, ...] = ()
    else:
        wanted = (asked.profile,) if asked.profile else ()
    return [*issues, *scrutinise(resource, known, wanted, unknown_extensions=settings.unknown_extensions)]


def _is_known(known: Definitions, canonical: str) -> bool:
    if canonical.partition("|")[0].removeprefix(R4) in TYPES:
        return True
    try:
        return known.profile(canonical) is not None
    except Unsupported:
        return True  # and why it cannot be used is told with the rest


def _use(reader: Reader, resource: Mapping[str, Any], id_: str | None, asked: Asked) -> list[Issue]:
    """Tell what would happen if the resource were created, or updated, now."""
    issues: list[Issue] = []
    if asked.mode not in ("create", "update"):
        return issues
    kind, own = resource.get("resourceType"), resource.get("id")
    if asked.mode == "create" and id_ is not None:
        issues.append(Issue("business-rule", "A create has no id in its URL; leave it out, or ask for mode `update`."))
    if asked.mode == "update":
        if own is None or (id_ is not None and own != id_):
            text = "The body of an update must have the id that the URL names."
            issues.append(Issue("value" if own else "required", text, (f"{kind}.id",)))
        elif isinstance(own, str) and isinstance(kind, str) and not _is_there(reader, kind, own):
            text = "There is no such resource; an update would create it."
            issues.append(Issue("informational", text, severity="information"))
    try:
        unenforced.refuse(dict(resource))
    except FhirtwinError as error:
        issues += error.issues
    return issues


def _deletion(reader: Reader, type_: str, id_: str | None) -> list[Issue]:
    if id_ is None:
        raise Incorrect("Name in the URL what is to be deleted: [type]/[id]/$validate.")
    if _is_there(reader, type_, id_):
        return []
    text = "There is no such resource, or it is deleted already: a delete would change nothing."
    return [Issue("not-found", text, severity="information")]


def _is_there(reader: Reader, type_: str, id_: str) -> bool:
    current = reader.read(type_, id_)
    return current is not None and not current.deleted
