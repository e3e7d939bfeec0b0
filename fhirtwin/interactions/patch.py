"""patch: `PATCH [base]/[type]/[id]`, as JSON Patch or FHIRPath Patch; conditional with `If-Match` or a search.

*Source*: http://hl7.org/fhir/R4/http.html#patch, http://hl7.org/fhir/R4/fhirpatch.html, RFC 6902, RFC 5789.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from enum import StrEnum
from functools import partial
from typing import Any, Final

import msgspec

from fhirtwin import ingest, timing
from fhirtwin.access import Caller, permit
from fhirtwin.errors import Incorrect, NotFound, TooLarge, Unprocessable
from fhirtwin.fhir import codec
from fhirtwin.fhir.patch import fhirpath_patch, json_patch
from fhirtwin.fhir.validator import validate
from fhirtwin.ingest import Received
from fhirtwin.interactions import conditional, offered
from fhirtwin.interactions.context import Answer, Returning, Services, written
from fhirtwin.interactions.read import current
from fhirtwin.interactions.update import check_match
from fhirtwin.settings import Settings
from fhirtwin.twin.state import StoredVersion

Change = Callable[[dict[str, Any]], dict[str, Any]]
"""A patch that was read: takes a resource apart from any other reference to it, gives what becomes of it."""

_FIXED: Final = (("resourceType",), ("id",), ("meta", "versionId"), ("meta", "lastUpdated"))
"""What the server alone decides."""

_NOT_SHOWN: Final = frozenset({"meta", "implicitRules", "language"})
"""What no narrative is about."""


class Form(StrEnum):
    """How a patch may be written, by its media type."""

    JSON = "application/json-patch+json"
    FHIRPATH = "application/fhir+json"


def patch(
    services: Services,
    caller: Caller,
    type_: str,
    id_: str,
    data: bytes,
    form: Form,
    *,
    criteria: str | None = None,
    if_match: str | None = None,
    if_none_match: str | None = None,
    prefer: str = "",
) -> Answer:
    """Change parts of a resource: its next version is what the patch makes of the current one.

    A patch that changes nothing makes no new version.

    Args:
        services: the parts.
        caller: who asks.
        type_: resource type.
        id_: logical id; does not count where `criteria` are given.
        data: the body.
        form: what the body is.
        criteria: a search that one resource must fit, which is the one to patch.
        if_match: the header: the version that the caller means to patch.
        if_none_match: the header: versions that must not be patched.
        prefer: the `Prefer` header.

    Returns:
        200 with the current version.

    Raises:
        Incorrect: the body is no patch, or a header is wrong.
        NotFound, Gone: there is no such resource.
        Precondition: the current version is another one, or several resources fit.
        Unprocessable: the patch cannot be applied to this resource, or would leave an invalid one.
    """
    permit(caller, "patch", type_)
    offered.require(type_, "patch")
    change = read_patch(data, form, services.settings)
    with services.store.write() as write:
        if criteria is not None:
            found = conditional.match(services, caller, write, type_, criteria, "The URL")
            if found is None:
                raise NotFound(f"No {type_} fits the condition.")
            id_ = found
        check_match(write, type_, id_, if_match, if_none_match)
        received = patched(current(write, caller, type_, id_), change, services.settings)
        kept = ingest.keep(write, received, id_, services.base_url)
    return written(services, kept.stored, status=200, returning=Returning.preferred(prefer, Returning.REPRESENTATION))


def read_patch(data: bytes, form: Form, settings: Settings) -> Change:
    """Read a patch, before anything is locked.

    Raises:
        Incorrect: it is none.
        TooLarge: it has too many operations.
    """
    with timing.stage("parse"):
        if form is Form.JSON:
            return partial(json_patch.apply, json_patch.parse(codec.decode_array(data, max_depth=settings.max_depth)))
        parameters = codec.decode(data, max_depth=settings.max_depth)
    with timing.stage("validate"):
        ingest.refuse_invalid(validate(parameters, type="Parameters"))
    return partial(fhirpath_patch.apply, fhirpath_patch.parse(parameters))


def read_entry(resource: dict[str, Any], settings: Settings) -> Change:
    """Read the patch that an entry of a Bundle has for its resource, which is valid: Parameters or a Binary.

    Raises:
        Incorrect: it is no patch.
        TooLarge: it has too many operations.
    """
    if resource["resourceType"] == "Parameters":
        return partial(fhirpath_patch.apply, fhirpath_patch.parse(resource))
    if resource["resourceType"] != "Binary" or resource["contentType"] != Form.JSON:
        raise Incorrect(f"The resource of a PATCH is Parameters, or a Binary of contentType {Form.JSON}.")
    return read_patch(base64.b64decode(resource.get("data", "")), Form.JSON, settings)


def patched(stored: StoredVersion, change: Change, settings: Settings) -> Received:
    """What a patch makes of a version, judged as if it had been sent.

    Members of the resource that the patch leaves alone keep their bytes.

    Raises:
        Unprocessable: the patch cannot be applied, changes what the server decides, or leaves an invalid resource.
    """
    before = codec.reread(stored.data)
    after = change(codec.reread(stored.data))
    for path in _FIXED:
        if _at(before, path) != _at(after, path):
            raise Unprocessable(
                "A patch cannot change this; the server decides it.", expression=".".join((stored.type, *path))
            )
    changed = {name for name in before.keys() | after.keys() if _differs(before, after, name)}
    if changed - _NOT_SHOWN and "text" in before and "text" not in changed:
        _drop_narrative(after)
        changed.add("text")
    sent = msgspec.json.decode(stored.data, type=dict[str, msgspec.Raw])
    data = codec.encode({name: value if name in changed else sent[name] for name, value in after.items()})
    try:
        return ingest.receive(data, stored.type, settings)
    except (Unprocessable, TooLarge):
        raise
    except Incorrect as error:
        raise Unprocessable("The patch would leave an invalid resource.", issues=error.issues) from None


def _at(resource: dict[str, Any], path: tuple[str, ...]) -> Any:
    found: Any = resource
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _differs(before: dict[str, Any], after: dict[str, Any], name: str) -> bool:
    """Whether a member was changed; every digit of a number counts, and `true` is not 1."""
    if name not in before or name not in after:
        return True
    return codec.encode(before[name]) != codec.encode(after[name])


def _drop_narrative(after: dict[str, Any]) -> None:
    """Let no narrative stand that tells what is no longer so.

    *Source*: http://hl7.org/fhir/R4/http.html#patch: the server ensures that the narrative is not unsafe; it may
    delete one that was generated.

    Raises:
        Unprocessable: the narrative tells more than the data, so it cannot be dropped.
    """
    match after["text"]["status"]:
        case "additional":
            raise Unprocessable(
                "The narrative tells more than the data, so only whoever wrote it can say whether it still holds: "
                "patch `text` too.",
                expression=f"{after['resourceType']}.text",
            )
        case "generated" | "extensions":
            del after["text"]
