"""Profiles, tags and security labels of a resource, as sets: what `$meta`, `$meta-add` and `$meta-delete` work on.

*Source*: http://hl7.org/fhir/R4/resource-operation-meta-add.html: tags and labels are the same when system and code
are; version and display do not count. Profiles are the same when the whole URL is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from fhirtwin.access import permit
from fhirtwin.errors import Incorrect
from fhirtwin.fhir import codec, splice
from fhirtwin.interactions import read
from fhirtwin.interactions.context import Answer
from fhirtwin.interactions.operation import Call, with_parameters
from fhirtwin.store import index

Meta = dict[str, Any]

SETS: Final = ("profile", "security", "tag")


def identity(value: Any) -> tuple[str, str]:
    """What makes a profile, tag or label the same as another."""
    return ("", value) if isinstance(value, str) else (value.get("system", ""), value.get("code", ""))


def merged(meta: Meta, more: Meta) -> Meta:
    """`meta` with what it has not yet of `more`."""
    result = dict(meta)
    for name in SETS:
        known = {identity(value) for value in meta.get(name, ())}
        added = [value for value in more.get(name, ()) if identity(value) not in known]
        if added:
            result[name] = [*meta.get(name, ()), *{identity(value): value for value in added}.values()]
    return result


def without(meta: Meta, less: Meta) -> Meta:
    """`meta` without what is in `less` too; a set that gets empty is left out."""
    result = dict(meta)
    for name in SETS:
        gone = {identity(value) for value in less.get(name, ())}
        kept = [value for value in meta.get(name, ()) if identity(value) not in gone]
        result.pop(name, None)
        if kept:
            result[name] = kept
    return result


def given(meta: Meta) -> Answer:
    """The answer with a Meta; without a parameter when there is nothing in it, since FHIR knows no empty value."""
    return with_parameters([("return", "valueMeta", meta)] if meta else [])


def change(call: Call, changed: Callable[[Meta, Meta], Meta]) -> Answer:
    """Write the labels of the current version anew, under the same version number and time.

    R4: executing these operations makes no new version, since what they change does not change what the resource says.
    So `ETag` and `Last-Modified` stay, the twin is not touched, and the history shows the version as it is now.

    Args:
        call: `meta`: what to add or take away.
        changed: the stored meta and that one, to the new one.

    Raises:
        Incorrect: `meta` says something that these operations do not change.
        NotFound, Gone: no such resource.
    """
    permit(call.caller, "update", call.type)
    sent: Mapping[str, Any] = call.one("meta")
    if others := sent.keys() - set(SETS):
        raise Incorrect(
            f"`meta` may hold {', '.join(SETS)} here, and nothing else; leave out {', '.join(sorted(others))}."
        )
    with call.services.store.write() as write:
        stored = read.current(write, call.caller, call.type, call.id)
        resource = codec.reread(stored.data)
        meta = changed(resource["meta"], dict(sent))
        if meta != resource["meta"]:
            rows = index.rows({**resource, "meta": meta}, call.services.base_url)
            write.amend(replace(stored, data=splice.with_meta(stored.data, meta)), rows)
    return given(meta)
