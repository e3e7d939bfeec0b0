"""$merge: `POST [base]/Patient/$merge`: two Patients turn out to be one.

R4 has no such operation; parameters and rules are those of R5 and later, its definition is
`profiles/OperationDefinition-merge.json`.

*Source*: https://hl7.org/fhir/R5/patient-operation-merge.html; why references are rewritten:
`docs/decisions/0011-a-merge-rewrites-references.md`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from fhirtwin import ingest
from fhirtwin.access import permit
from fhirtwin.errors import Incorrect, Issue, NotFound, Precondition, TooLarge, Unprocessable
from fhirtwin.fhir import codec, outcome, references
from fhirtwin.ingest import Received
from fhirtwin.interactions import read, replaced, search_type, withdrawing
from fhirtwin.interactions.context import Answer
from fhirtwin.interactions.operation import Call, Level, Operation, Parameter, with_parameters
from fhirtwin.store import Reader, Writer
from fhirtwin.terms.systems import FHIRTWIN
from fhirtwin.twin.state import LOCAL, PatientKey, StoredVersion

Resource = dict[str, Any]

UNTOUCHED: Final = ("AuditEvent", "Patient", "Provenance")
"""Types whose references stay: records of what happened to the source, and Patients, whose links tell who was who."""

_INPUT: Final = (
    Parameter("source-patient", "Reference"),
    Parameter("source-patient-identifier", "Identifier", many=True),
    Parameter("target-patient", "Reference"),
    Parameter("target-patient-identifier", "Identifier", many=True),
    Parameter("result-patient", "Patient"),
    Parameter("preview", "boolean"),
)


def merge(call: Call) -> Answer:
    """Let the target be the one Patient from now on, in one unit of work.

    The source stays readable, inactive, with a link `replaced-by`; the target gets a link `replaces` and the source's
    identifiers as `old` ones, or becomes what `result-patient` says. What refers to the source gets a next version that
    refers to the target, so searches and the twin find all under the target. Assessments that lost their ground by this
    are withdrawn. To merge the same two again moves what was stored under the source since.

    Args:
        call: `source-patient` or `source-patient-identifier`; `target-patient` or `target-patient-identifier`;
            `result-patient`; `preview` to see what would be.

    Returns:
        200 with Parameters: `input`, `outcome` and `result`, the target.

    Raises:
        Incorrect: source, target or result do not name what they must.
        NotFound, Gone: a Patient is not there.
        Precondition: identifiers fit several Patients.
        Unprocessable: one of them was replaced by somebody else.
        TooLarge: more resources than the setting `max_merge_resources` refer to the source.
    """
    permit(call.caller, "update", "Patient")
    if call.one("preview"):
        with call.services.store.snapshot() as reader:
            merging = _Merging(call, reader)
            moving = merging.moving()
            text = f"{len(moving)} resources would refer to the target; nothing was changed."
            return merging.answer(text, codec.encode(merging.result()))
    with call.services.store.write() as write:
        merging = _Merging(call, write)
        moving = merging.moving()
        stored = merging.carry_out(write, moving)
        return merging.answer(f"Merged; {len(moving)} resources refer to the target now.", stored.data)


@dataclass(frozen=True, slots=True)
class _Move:
    """A resource that refers to the source, and what becomes of the texts of its references."""

    received: Received
    resolved: Mapping[str, str]


class _Merging:
    """One merge under way."""

    def __init__(self, call: Call, reader: Reader) -> None:
        self._call = call
        self._reader = reader
        self._base_url = call.services.base_url
        source, target = self._id("source"), self._id("target")
        if source == target:
            raise Unprocessable("Source and target are one Patient already.")
        self._source = codec.reread(read.current(reader, call.caller, "Patient", source).data)
        self._target = replaced.current(reader, call.caller, target)
        replacement = references.parse(references.replaced_by(self._source))
        if (replacement.type, replacement.id, self._is_ours(replacement)) != ("Patient", target, True):
            replaced.refuse(self._source, reader)

    def moving(self) -> tuple[_Move, ...]:
        """What refers to the source and will refer to the target.

        Raises:
            TooLarge: more than the setting allows.
            Forbidden: the caller may not update one of these types.
        """
        most = self._call.services.settings.max_merge_resources
        found = self._reader.referring(self._source["id"], most + 1, but=UNTOUCHED)
        if len(found) > most:
            raise TooLarge(
                f"More than {most} resources refer to the source, which is the most that is changed at once "
                "(max_merge_resources); nothing was changed."
            )
        for type_ in sorted({stored.type for stored in found}):
            permit(self._call.caller, "update", type_)
        return tuple(move for stored in found if (move := self._move(stored)).resolved)

    def carry_out(self, write: Writer, moving: tuple[_Move, ...]) -> StoredVersion:
        """Store all of it; the target as it is then."""
        self._keep(write, {**_linked(self._source, f"Patient/{self._target['id']}", "replaced-by"), "active": False})
        target = self._keep(write, self.result())
        for move in moving:
            ingest.keep(write, move.received, move.received.resource["id"], self._base_url, move.resolved)
        state = write.twin(PatientKey(LOCAL, target.id))
        most = self._call.services.settings.max_count
        for withdrawn in withdrawing.unfounded(write, state, (), most) if state else ():
            self._keep(write, withdrawn)
        return target

    def result(self) -> Resource:
        """The target as it will be.

        Raises:
            Incorrect: `result-patient` is not the target, linked to the source and with the identifiers given.
        """
        source = f"Patient/{self._source['id']}"
        wanted: Resource | None = self._call.one("result-patient")
        if wanted is None:
            old = [{**one, "use": "old"} for one in self._source.get("identifier", ()) if not _has(self._target, one)]
            merged = _linked(self._target, source, "replaces")
            identifiers = [*self._target.get("identifier", ()), *old]
            return {**merged, "identifier": identifiers} if identifiers else merged
        if wanted.get("id") != self._target["id"]:
            raise _wrong_result("it must have the id of the target", "Patient.id")
        if _linked(wanted, source, "replaces") != wanted:
            raise _wrong_result("it must have a link of type `replaces` to the source", "Patient.link")
        if references.replaced_by(wanted):
            raise _wrong_result("it must not have been replaced itself", "Patient.link")
        if not all(_has(wanted, one) for one in self._call.every("target-patient-identifier")):
            raise _wrong_result("it must have the identifiers that name the target", "Patient.identifier")
        return wanted

    def answer(self, text: str, result: bytes) -> Answer:
        """The Parameters that R5 asks for; `input` holds what was sent."""
        sent = {"resourceType": "Parameters", "parameter": list(self._sent())}
        told = outcome.operation_outcome([Issue("informational", text, severity="information")])
        return with_parameters(
            [
                ("input", "resource", sent),
                ("outcome", "resource", told),
                ("result", "resource", msgspec.Raw(result)),
            ]
        )

    def _sent(self) -> Iterator[Resource]:
        for parameter in _INPUT:
            member = (
                "resource" if parameter.kind == "Patient" else f"value{parameter.kind[0].upper()}{parameter.kind[1:]}"
            )
            for value in self._call.every(parameter.name):
                yield {"name": parameter.name, member: value}

    def _id(self, which: str) -> str:
        """The logical id of the Patient that a reference, identifiers, or both name."""
        reference = self._call.one(f"{which}-patient")
        identifiers = self._call.every(f"{which}-patient-identifier")
        if reference is None and not identifiers:
            raise Incorrect(f"$merge needs `{which}-patient` or `{which}-patient-identifier`.")
        by_reference = self._referred(reference, which) if reference is not None else ""
        by_identifier = self._identified(identifiers, which) if identifiers else ""
        if by_reference and by_identifier and by_reference != by_identifier:
            raise Incorrect(f"`{which}-patient` and `{which}-patient-identifier` name two Patients.")
        return by_reference or by_identifier

    def _referred(self, reference: Mapping[str, Any], which: str) -> str:
        found = references.parse(reference.get("reference", ""))
        if found.type != "Patient" or not found.id or found.version or not self._is_ours(found):
            raise Incorrect(f"`{which}-patient` must refer to a Patient of this server: Patient/[id].")
        return found.id

    def _identified(self, identifiers: tuple[Mapping[str, Any], ...], which: str) -> str:
        place = f"{which}-patient-identifier"
        if not all(identifier.get("value") for identifier in identifiers):
            raise Incorrect(f"`{place}` must have a value.")
        criteria = urlencode([("identifier", _token(identifier)) for identifier in identifiers])
        call = self._call
        found = search_type.matches(call.services, call.caller, self._reader, "Patient", criteria, place)
        if not found:
            raise NotFound(f"No Patient has what `{place}` names.")
        if len(found) > 1:
            raise Precondition(f"Several Patients have what `{place}` names; name one by `{which}-patient`.")
        return found[0]

    def _move(self, stored: StoredVersion) -> _Move:
        """What becomes of the references of a resource to the source; one to a version of it stays."""
        # What it claims of itself was judged when it was stored, and is no reason to leave it behind.
        received = Received(stored.data, codec.reread(stored.data), check_claims=False)
        resolved = {}
        for _, text in references.walk(received.resource):
            found = references.parse(text)
            if (found.type, found.id) == ("Patient", self._source["id"]) and self._is_ours(found) and not found.version:
                resolved[text] = f"{found.base}/Patient/{self._target['id']}".removeprefix("/")
        return _Move(received, resolved)

    def _is_ours(self, found: references.Reference) -> bool:
        return found.base in ("", self._base_url)

    def _keep(self, write: Writer, resource: Resource) -> StoredVersion:
        received = ingest.of_our_own(resource, self._call.services.settings)
        return ingest.keep(write, received, resource["id"], self._base_url).stored


def _linked(patient: Resource, other: str, type_: str) -> Resource:
    """A Patient with a link, unless it is there."""
    links = patient.get("link", ())
    if any(link["type"] == type_ and link["other"].get("reference") == other for link in links):
        return patient
    return {**patient, "link": [*links, {"other": {"reference": other}, "type": type_}]}


def _has(patient: Resource, identifier: Mapping[str, Any]) -> bool:
    wanted = (identifier.get("system"), identifier.get("value"))
    return any((one.get("system"), one.get("value")) == wanted for one in patient.get("identifier", ()))


def _token(identifier: Mapping[str, Any]) -> str:
    return "|".join(
        "".join(f"\\{character}" if character in "\\,|$" else character for character in identifier.get(name, ""))
        for name in ("system", "value")
    )


def _wrong_result(text: str, expression: str) -> Incorrect:
    return Incorrect(f"`result-patient` is not what the target can become: {text}.", expression=expression)


OPERATION: Final = Operation(
    name="merge",
    definition=f"{FHIRTWIN}/OperationDefinition/merge",
    types=frozenset({"Patient"}),
    levels=frozenset({Level.TYPE}),
    run=merge,
    parameters=_INPUT,
    affects_state=True,
)
