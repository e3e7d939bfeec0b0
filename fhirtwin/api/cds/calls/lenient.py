"""Leniencies: what clients in the wild send against the rules, each with what is made of it, each switched on by name.

A call is mended before it is read, so reading itself has one way of doing things. Nothing here guesses at clinical
content: what belongs to another patient, or could be read in two ways, is refused in every mode.
"""

from __future__ import annotations

import logging
import re
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final

from fhirtwin.api.cds.hooks import Hook, Kind, hook
from fhirtwin.errors import Incorrect

_log = logging.getLogger("fhirtwin.cds")

_UUID: Final = re.compile(r"(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_USER: Final = re.compile(r"[A-Z][A-Za-z]{1,63}/[A-Za-z0-9\-.]{1,64}")
_NAMESPACE: Final = uuid.UUID("c7a1f0f6-5f6b-5f38-8a57-2c4e7a0d9b11")
_AUTHORIZATION: Final = ("access_token", "token_type", "expires_in", "scope", "subject")

Call = Mapping[str, Any]
"""The body of a call."""


@dataclass(frozen=True, slots=True)
class Leniency:
    """One thing that is let pass.

    Attributes:
        name: as the setting `cds_lenient` names it.
        sent: what is sent against the rules.
        made: what is made of it.
        mend: from a call to the call that was meant; the same object when there is nothing to mend. None for what is
            done where resources are judged.
    """

    name: str
    sent: str
    made: str
    mend: Callable[[Call], Call] | None = None


def _is_nothing(value: Any) -> bool:
    return value is None or value in ("", [], {})


def _without_nothing(sent: Call) -> Call:
    found = {name: value for name, value in sent.items() if not _is_nothing(value)}
    context = found.get("context")
    if isinstance(context, dict) and any(map(_is_nothing, context.values())):
        found["context"] = {name: value for name, value in context.items() if not _is_nothing(value)}
        return found
    return found if len(found) < len(sent) else sent


def _without_null_authorization(sent: Call) -> Call:
    if sent.get("fhirAuthorization", ...) is not None:
        return sent
    return {name: value for name, value in sent.items() if name != "fhirAuthorization"}


def _without_partial_authorization(sent: Call) -> Call:
    """A token that is not told in full is not used; nobody is refused for lending too little."""
    given = sent.get("fhirAuthorization")
    if not isinstance(given, dict):
        return sent
    types = {"access_token": str, "token_type": str, "expires_in": int, "scope": str, "subject": str}
    whole = all(isinstance(given.get(name), types[name]) and given[name] != "" for name in _AUTHORIZATION)
    kind = given.get("token_type")
    if whole and kind == "Bearer" and "fhirServer" in sent:
        return sent
    return {name: value for name, value in sent.items() if name != "fhirAuthorization"}


def _uuid_of_instance(sent: Call) -> Call:
    given = sent.get("hookInstance")
    if isinstance(given, str) and _UUID.fullmatch(given):
        return sent
    made = uuid.uuid5(_NAMESPACE, given) if isinstance(given, str) and given else uuid.uuid4()
    return {**sent, "hookInstance": str(made)}


def _user_into_context(sent: Call) -> Call:
    context, user = sent.get("context"), sent.get("user")
    if not isinstance(context, dict) or "userId" in context or not isinstance(user, str) or not _USER.fullmatch(user):
        return sent
    return _with_context(sent, {**context, "userId": user})


def _bare_ids(sent: Call) -> Call:
    context = sent.get("context")
    if not isinstance(context, dict):
        return sent
    changed = {
        name: context[name].removeprefix(f"{type_}/")
        for name, type_ in (("patientId", "Patient"), ("encounterId", "Encounter"))
        if isinstance(context.get(name), str) and context[name].startswith(f"{type_}/")
    }
    return _with_context(sent, {**context, **changed}) if changed else sent


def _typed_selections(sent: Call) -> Call:
    """A bare id stands for the draft that has it, when one alone does."""
    context = sent.get("context")
    if not isinstance(context, dict) or not isinstance(context.get("selections"), list):
        return sent
    drafts = Counter(_draft_references(context.get("draftOrders")))
    changed = []
    for selection in context["selections"]:
        fits = [each for each in drafts if isinstance(selection, str) and each.endswith(f"/{selection}")]
        changed.append(fits[0] if len(fits) == 1 and "/" not in selection else selection)
    return sent if changed == context["selections"] else _with_context(sent, {**context, "selections": changed})


def _draft_references(bundle: Any) -> Iterator[str]:
    entries = bundle.get("entry") if isinstance(bundle, dict) else None
    for each in entries if isinstance(entries, list) else ():
        resource = each.get("resource") if isinstance(each, dict) else None
        if isinstance(resource, dict) and isinstance(resource.get("id"), str):
            yield f"{resource.get('resourceType')}/{resource['id']}"


_OTHER_NAMES: Final = {
    "order-dispatch": {"dispatched-orders": "dispatchedOrders", "fulfillment-tasks": "fulfillmentTasks"},
    "medication-verify": {"order": "medication"},
}


def _defined_names(sent: Call) -> Call:
    """The hook library's own examples name some members other than its tables do."""
    context = sent.get("context")
    names = _OTHER_NAMES.get(str(sent.get("hook")), {})
    if not isinstance(context, dict) or not any(old in context and new not in context for old, new in names.items()):
        return sent
    return _with_context(sent, {str(names.get(name, name)): value for name, value in context.items()})


def _unwrapped(sent: Call) -> Call:
    """The hook library's own examples put a single resource into an object of its own."""
    context, fired = sent.get("context"), _hook(sent)
    if not isinstance(context, dict) or fired is None:
        return sent
    changed = {
        field.name: context[field.name]["resource"]
        for field in fired.fields
        if field.kind is Kind.RESOURCE and _is_wrapper(context.get(field.name))
    }
    return _with_context(sent, {**context, **changed}) if changed else sent


def _unwrapped_prefetch(sent: Call) -> Call:
    """Early clients sent each answer as an entry of a batch's response."""
    prefetch = sent.get("prefetch")
    if not isinstance(prefetch, dict) or not any(map(_is_wrapper, prefetch.values())):
        return sent
    return {
        **sent,
        "prefetch": {key: value["resource"] if _is_wrapper(value) else value for key, value in prefetch.items()},
    }


def _is_wrapper(value: Any) -> bool:
    return isinstance(value, dict) and "resourceType" not in value and isinstance(value.get("resource"), dict)


def _without_user(sent: Call) -> Call:
    """What is not told of the user is not asked for: services that need the user say so."""
    context, fired = sent.get("context"), _hook(sent)
    if not isinstance(context, dict) or fired is None or not any(field.name == "userId" for field in fired.fields):
        return sent
    user = context.get("userId")
    if isinstance(user, str) and _USER.fullmatch(user) and user.partition("/")[0] in fired.users:
        return sent
    return _with_context(sent, {name: value for name, value in context.items() if name != "userId"})


def _with_context(sent: Call, context: Mapping[str, Any]) -> Call:
    return {**sent, "context": dict(context)}


def _hook(sent: Call) -> Hook | None:
    name = sent.get("hook")
    return hook(name) if isinstance(name, str) else None


SET_ASIDE: Final = "invalid-resources"
NO_USER: Final = "no-user"

LENIENCIES: Final[tuple[Leniency, ...]] = (
    Leniency(
        "null-authorization", "`fhirAuthorization` is `null`", "as if it was left out", _without_null_authorization
    ),
    Leniency(
        "empty-members",
        '`null`, `""`, `[]` or `{}` in the call or its context',
        "as if they were left out",
        _without_nothing,
    ),
    Leniency(
        "partial-authorization",
        "`fhirAuthorization` without a member that it must have, or without `fhirServer`",
        "as if it was left out: the token is not used",
        _without_partial_authorization,
    ),
    Leniency(
        "hook-instance",
        "`hookInstance` is no UUID, or is missing",
        "a UUID made of it, the same each time; a new one when it is missing",
        _uuid_of_instance,
    ),
    Leniency(
        "user-outside", "`user` beside the context, as before CDS Hooks 1.0", "`context.userId`", _user_into_context
    ),
    Leniency("typed-ids", "`Patient/123` as `patientId`, `Encounter/1` as `encounterId`", "the bare id", _bare_ids),
    Leniency("bare-selections", "an id without type in `selections`", "the one draft with that id", _typed_selections),
    Leniency(
        "example-names",
        "member names of the hook library's examples: `dispatched-orders`, `fulfillment-tasks`, `order` to verify",
        "the names of its tables",
        _defined_names,
    ),
    Leniency(
        "wrapped-resource", 'a resource of the context within `{"resource": ...}`', "the resource itself", _unwrapped
    ),
    Leniency(
        "wrapped-prefetch",
        'a prefetched resource within `{"response": ..., "resource": ...}`',
        "the resource itself",
        _unwrapped_prefetch,
    ),
    Leniency(
        NO_USER,
        "`userId` is missing, or of a type that the hook does not expect",
        "a call of which the user is not known",
        _without_user,
    ),
    Leniency(
        SET_ASIDE,
        "resources of the context that are not valid FHIR R4, such as those of DSTU2 and STU3",
        "they are set aside, and a card of indicator `warning` names each with what is wrong; the others are judged, "
        "and where there is no other the service is not asked",
    ),
)
"""In the order in which they are tried."""

_used: Counter[str] = Counter()
_lock: Final = Lock()


def chosen(setting: str) -> frozenset[str]:
    """The leniencies that a setting switches on.

    Args:
        setting: names with commas between; `all`; `-name` takes one away again.

    Raises:
        Incorrect: a name that is none; the text lists them.
    """
    known = [one.name for one in LENIENCIES]
    found: set[str] = set()
    for word in filter(None, (part.strip() for part in setting.split(","))):
        name = word.removeprefix("-")
        if name not in (*known, "all"):
            raise Incorrect(f"FHIRTWIN_CDS_LENIENT takes {', '.join(known)}, `all`, and `-name` for exceptions.")
        names = set(known) if name == "all" else {name}
        found = found - names if word.startswith("-") else found | names
    return frozenset(found)


def mended(sent: Call, allowed: frozenset[str], service: str) -> Call:
    """A call as it was meant, as far as the leniencies that are allowed say; each that was needed is logged."""
    for leniency in LENIENCIES:
        if leniency.mend is None or leniency.name not in allowed:
            continue
        before, sent = sent, leniency.mend(sent)
        if sent is not before:
            note(leniency.name, service)
    return sent


def note(name: str, service: str) -> None:
    """Count and log that a leniency was needed; nothing of the call is told."""
    with _lock:
        _used[name] += 1
        times = _used[name]
    _log.info("leniency %s was needed by a call of %s, %d times by now", name, service, times)


def used() -> dict[str, int]:
    """How often each leniency was needed since this process began."""
    with _lock:
        return dict(_used)
