"""Reads the context of a call by the table of hooks: members by their kind, resources by FHIR R4 and by whose they are.

Source: https://cds-hooks.hl7.org/2.0/#hook-context-and-prefetch
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Final

from fhirtwin import timing
from fhirtwin.api.cds.calls.context_resources import Judged, judge
from fhirtwin.api.cds.contexts import Context, Unread, User
from fhirtwin.api.cds.hooks import Field, Hook, Kind
from fhirtwin.errors import Incorrect, Issue
from fhirtwin.intake import belonging, contradictions
from fhirtwin.twin.state import PatientKey

_ID: Final = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_REFERENCE: Final = re.compile(r"[A-Z][A-Za-z]{1,63}/[A-Za-z0-9\-.]{1,64}")
_ARRAYS: Final = (Kind.REFERENCES, Kind.RESOURCES)
_HOLD_RESOURCES: Final = (Kind.BUNDLE, Kind.RESOURCE, Kind.RESOURCES)
_OF_EVERY_HOOK: Final = ("user", "encounter_id")
_SENT_ON: Final = 20
"""Most wrong items of one array that are named."""


def faults(context: Mapping[str, Any], hook: Hook, *, no_user: bool = False) -> Iterator[tuple[str, str]]:
    """Tell which members of a context are missing or of the wrong kind, each by its place.

    Args:
        context: as it was sent.
        hook: the hook that fired.
        no_user: whether the user may be missing although the hook has one.
    """
    if not _matches(_ID, context.get("patientId")):
        yield "context.patientId", "`context.patientId` must be the id of a Patient, without `Patient/`."
    for field in hook.fields_of(context):
        place = f"context.{field.name}"
        if field.name not in context:
            if field.required and not (no_user and field.kind is Kind.USER):
                yield place, f"`{place}` must be there for the hook {hook.name}: {field.kind.value}."
            continue
        yield from _wrong(context[field.name], field, hook, place)


def _wrong(value: Any, field: Field, hook: Hook, place: str) -> Iterator[tuple[str, str]]:
    if field.kind in _ARRAYS:
        if not isinstance(value, list) or not value:
            yield place, f"`{place}` must be {field.kind.value}, with at least one."
            return
        yield from list(_wrong_items(value, field, place))[:_SENT_ON]
    elif field.kind is Kind.USER:
        if not (_matches(_REFERENCE, value) and value.partition("/")[0] in hook.users):
            yield place, f"`{place}` must be `Type/id`, of type {', '.join(hook.users)}."
    elif not _is_right(value, field):
        yield place, f"`{place}` must be {field.kind.value}; leave it out when there is none."


def _wrong_items(items: list[Any], field: Field, place: str) -> Iterator[tuple[str, str]]:
    for number, item in enumerate(items):
        if field.kind is Kind.REFERENCES and not _matches(_REFERENCE, item):
            yield f"{place}[{number}]", f"`{place}[{number}]` must be a reference, `Type/id`."
        elif field.kind is Kind.RESOURCES and not isinstance(item, dict):
            yield f"{place}[{number}]", f"`{place}[{number}]` must be a resource."


def _is_right(value: Any, field: Field) -> bool:
    match field.kind:
        case Kind.ID:
            return _matches(_ID, value)
        case Kind.REFERENCE:
            return _matches(_REFERENCE, value)
        case _:
            return isinstance(value, dict) and bool(value)


def read(
    context: Mapping[str, Any], hook: Hook, patient: PatientKey, bases: Collection[str], *, set_aside: bool = False
) -> Context:
    """Make a context of what has no `faults`.

    Args:
        context: as it was sent.
        hook: the hook that fired.
        patient: whom every resource in it must be about.
        bases: FHIR base URLs, beside the patient's origin, that absolute references to this patient may start with.
        set_aside: whether resources that are not valid are set aside and told, and the others read.

    Returns:
        The hook's class of context; `Unread` when the one resource that the hook is about was set aside.

    Raises:
        Incorrect: a resource is not valid FHIR R4, or `selections` names what is not among the drafts.
        Unprocessable: a resource is not shown to be this patient's, or two have one id and differ.
    """
    sent = [field for field in hook.fields_of(context) if field.name in context]
    with timing.stage("validate"):
        judged = {field.into: judge(context[field.name], field) for field in sent if field.kind in _HOLD_RESOURCES}
    issues = [issue for found in judged.values() for issue in found.issues]
    if any(found.hopeless for found in judged.values()) or (issues and not set_aside):
        raise Incorrect("The context is not valid FHIR R4.", issues=issues)
    placed = [item for found in judged.values() for item in found.placed]
    belonging.refuse_strangers(placed, patient, bases, drafts=True)
    contradictions.refuse(placed)
    _refuse_unknown_selections(context)
    values: dict[str, Any] = {field.into: _value(context[field.name], field, judged.get(field.into)) for field in sent}
    kind: Callable[..., Context] = hook.context
    if any(field.kind is Kind.RESOURCE and field.required and not judged[field.into].placed for field in sent):
        kind, values = Unread, {name: value for name, value in values.items() if name in _OF_EVERY_HOOK}
    made: Context = kind(members=context, unread=tuple(issues), **values)
    return made


def _refuse_unknown_selections(context: Mapping[str, Any]) -> None:
    """Refuse a selection that is not among the drafts: what the user just chose would go unjudged.

    Source: https://cds-hooks.hl7.org/hooks/STU1/order-select.html
    """
    drafts, selections = context.get("draftOrders"), context.get("selections")
    if not isinstance(drafts, dict) or not isinstance(selections, list):
        return
    resources = [each.get("resource") for each in drafts.get("entry", ()) if isinstance(each, dict)]
    there = {f"{each.get('resourceType')}/{each.get('id')}" for each in resources if isinstance(each, dict)}
    places = [f"context.selections[{number}]" for number, text in enumerate(selections) if text not in there]
    if places:
        text = "This names none of the resources in `context.draftOrders`."
        issues = [Issue(Incorrect.code, text, (place,)) for place in places[:_SENT_ON]]
        raise Incorrect("The selections are not among the draft orders.", issues=issues)


def _value(value: Any, field: Field, judged: Judged | None) -> Any:
    match field.kind:
        case Kind.USER:
            type_, _, id_ = value.partition("/")
            return User(type_, id_)
        case Kind.REFERENCES:
            return tuple(value)
        case Kind.REFERENCE if field.into == "orders":
            return (value,)
        case Kind.RESOURCE if field.into != "tasks":
            return value
        case _:
            return tuple(item.resource for item in judged.placed) if judged else value


def _matches(pattern: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None
