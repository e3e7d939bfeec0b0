"""ROAD 1: what arrives is received, validated and stored, and the twin is refreshed, in one unit of work."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from fhirtwin import definitions, timing
from fhirtwin.access import unenforced
from fhirtwin.errors import Incorrect, Issue, Unprocessable
from fhirtwin.fhir import codec, dates, references, splice, xml
from fhirtwin.fhir.budget import Budget
from fhirtwin.fhir.validator import validate
from fhirtwin.settings import Settings
from fhirtwin.store import Writer, index
from fhirtwin.twin.mappers import registry
from fhirtwin.twin.medicines import with_medication
from fhirtwin.twin.state import LOCAL, Mapped, PatientKey, Source, StoredVersion


@dataclass(frozen=True, slots=True)
class Received:
    """A resource that may be stored.

    Attributes:
        data: the bytes as sent, or the JSON made of them when they were XML.
        resource: the same parsed.
        source: the XML as sent; empty when it was JSON.
        check_claims: whether it must conform to the known profiles that it claims in `meta.profile`.
    """

    data: bytes
    resource: dict[str, Any]
    source: bytes = b""
    check_claims: bool = True

    @property
    def type(self) -> str:
        """Its resource type."""
        return str(self.resource["resourceType"])


@dataclass(frozen=True, slots=True)
class Kept:
    """The version that is current now.

    Attributes:
        changed: whether this call made it.
        created: whether nothing was there before: never, or deleted.
    """

    stored: StoredVersion
    changed: bool
    created: bool = False


def receive(data: bytes, type_: str, settings: Settings) -> Received:
    """Parse and validate a body, before anything is locked or written.

    Args:
        data: the body as sent.
        type_: the resource type expected.
        settings: the limits.

    Raises:
        Incorrect: not FHIR JSON, or not a structurally valid resource of that type.
        Unprocessable: a resource whose storing would promise what this server does not do.
    """
    with timing.stage("parse"):
        resource = codec.decode(data, max_depth=settings.max_depth)
    _refuse_unfit(resource, type_)
    return Received(data, resource, xml.source_of(data), settings.profile_claims == "check")


def of_our_own(resource: dict[str, Any], settings: Settings) -> Received:
    """Validate a resource that was made here, of what `codec.decode` gives and nothing else.

    Raises:
        Incorrect, Unprocessable: as for `receive`.
    """
    _refuse_unfit(resource, resource["resourceType"])
    return Received(codec.encode(resource), resource, check_claims=settings.profile_claims == "check")


def keep(
    write: Writer,
    received: Received,
    id_: str | None,
    base_url: str,
    resolved: Mapping[str, str] | None = None,
    texts: Mapping[splice.Path, str] | None = None,
    unit: Budget | None = None,
) -> Kept:
    """Store what was received as the next version of `id_`, and refresh the twin of whom it is about.

    Args:
        write: the open unit of work.
        received: what `receive` gave.
        id_: logical id; None makes a new one.
        base_url: this server's base; references below it are its own.
        resolved: texts of references, and what takes their place.
        texts: places of other links, and what stands there then.
        unit: what judging claims to profiles may cost, where the unit of work stores more than this.

    Returns:
        The new version; or the one that was there, when the new one would say the same.

    Raises:
        Unprocessable: it does not conform to a known profile that it claims.
    """
    current = write.read(received.type, id_) if id_ else None
    id_ = id_ or str(uuid.uuid4())
    if current and not current.deleted:
        same = _spliced(received, id_, current.version, current.last_updated, resolved, texts)
        if _says_the_same(same.data, current.data):
            return Kept(current, changed=False)

    stored = _spliced(received, id_, current.version + 1 if current else 1, dates.now_instant(), resolved, texts)
    changed = bool(resolved or texts)
    resource = codec.reread(stored.data) if changed else {**received.resource, "id": id_}
    if received.check_claims and "profile" in resource.get("meta", ()):
        with timing.stage("validate"):
            _refuse_broken_claims(resource, write, unit)
    patient = patient_of(resource, base_url)
    with timing.stage("store"):
        write.put(stored, index.rows(resource, base_url), patient)
        if received.source:
            _keep_source(write, received.source, stored, resolved)
    source = Source(LOCAL, stored.type, id_, str(stored.version))
    with timing.stage("map"):
        mapped = registry.map_resource(with_medication(resource, _medications(write, base_url)), source)
    with timing.stage("store"):
        write.replace_facts(source, patient, mapped)
    return Kept(stored, changed=True, created=current is None or current.deleted)


def forget(write: Writer, type_: str, id_: str) -> StoredVersion | None:
    """Let a resource be deleted from now on: its next version says so, searches and twins know it no more.

    Earlier versions stay in the history.

    Args:
        write: the open unit of work.
        type_: resource type.
        id_: logical id.

    Returns:
        The version that is the deletion, of now or earlier; None when there never was such a resource.
    """
    current = write.read(type_, id_)
    if current is None or current.deleted:
        return current
    gone = StoredVersion(type_, id_, current.version + 1, dates.now_instant(), b"", deleted=True)
    with timing.stage("store"):
        write.put(gone, index.Rows(), None)
        write.replace_facts(Source(LOCAL, type_, id_, str(gone.version)), None, Mapped())
    return gone


def _medications(write: Writer, base_url: str) -> Callable[[str, str], dict[str, Any] | None]:
    def find(base: str, id_: str) -> dict[str, Any] | None:
        stored = write.read("Medication", id_) if base in ("", base_url) else None
        return codec.reread(stored.data) if stored and not stored.deleted else None

    return find


def patient_of(resource: dict[str, Any], base_url: str) -> PatientKey | None:
    """Tell whom a resource is about: a patient of this server or, by an absolute reference, of another."""
    text = references.subject_of(resource)
    found = references.parse(text) if text else None
    if found is None or found.type != "Patient" or not found.id:
        return None
    return PatientKey(LOCAL if found.base in ("", base_url) else found.base, found.id)


def _refuse_unfit(resource: dict[str, Any], type_: str) -> None:
    with timing.stage("validate"):
        refuse_invalid(validate(resource, type=type_))
        unenforced.refuse(resource)


def refuse_invalid(issues: Iterable[Issue]) -> None:
    """Raise when a validator found an error; warnings pass.

    Raises:
        Incorrect: with every issue found.
    """
    issues = tuple(issues)
    if any(issue.severity in ("fatal", "error") for issue in issues):
        raise Incorrect("The resource is not valid FHIR R4; each issue names its place.", issues=issues)


def _refuse_broken_claims(resource: dict[str, Any], write: Writer, unit: Budget | None) -> None:
    issues = definitions.broken_claims(resource, write, unit)
    if issues:
        text = "The resource does not conform to a profile that it claims in meta.profile."
        raise Unprocessable(text, issues=issues)


def _spliced(
    received: Received,
    id_: str,
    version: int,
    instant: str,
    resolved: Mapping[str, str] | None,
    texts: Mapping[splice.Path, str] | None,
) -> StoredVersion:
    data = splice.splice(received.data, id=id_, version=version, last_updated=instant, references=resolved, texts=texts)
    return StoredVersion(received.type, id_, version, instant, data)


def _keep_source(write: Writer, sent: bytes, stored: StoredVersion, resolved: Mapping[str, str] | None) -> None:
    """Keep the XML beside the JSON that was stored, unless the two would not say the same."""
    source = xml.splice(
        sent, id=stored.id, version=stored.version, last_updated=stored.last_updated, references=resolved or {}
    )
    if xml.decode(source, max_depth=codec.ANY_DEPTH) == codec.reread(stored.data):
        write.keep_source(stored, source)


def _says_the_same(one: bytes, other: bytes) -> bool:
    """Whether two resources differ in white space at most: every digit of a decimal counts."""
    return one == other or msgspec.json.format(one, indent=-1) == msgspec.json.format(other, indent=-1)
