"""Reads the genome of a patient who is stored here, for every operation that tells of genes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from fhirtwin.access.visibility import require_whole_record
from fhirtwin.errors import Incorrect, Issue, Unsupported
from fhirtwin.fhir.outcome import operation_outcome
from fhirtwin.interactions import replaced, reporting
from fhirtwin.interactions.context import Answer, is_id, local_id
from fhirtwin.interactions.operation import Call, with_parameters
from fhirtwin.pgx import presence
from fhirtwin.pgx.lookup import Lookup
from fhirtwin.report.genomics import report
from fhirtwin.report.genomics.genotypes import genotypes, untested
from fhirtwin.report.genomics.implication import About
from fhirtwin.report.genomics.made import Made
from fhirtwin.report.genomics.medicines import Medicine, current, named
from fhirtwin.report.genomics.report import Findings
from fhirtwin.report.genomics.weighed import taken, weigh
from fhirtwin.rules.genetics import person
from fhirtwin.rules.genetics.person import Person
from fhirtwin.terms.systems import RXNORM
from fhirtwin.twin import derived
from fhirtwin.twin.gaps import unread_medicines
from fhirtwin.twin.genome import GeneResult
from fhirtwin.twin.state import LOCAL, PatientKey, TwinState

_UNKNOWN: Final = {
    "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]
}
MOST_ASKED: Final = 200
"""Genes, haplotypes, treatments or ranges in one call."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the genes and the medicines of one patient on one day.

    Attributes:
        id: of the Patient.
        day: of the call.
        whole: the twin with all its facts.
        state: the twin as of the day.
        person: what the genes are and mean.
        genes: looks up what they mean for medicines.
    """

    id: str
    day: date
    whole: TwinState
    state: TwinState
    person: Person
    genes: Lookup

    @property
    def results(self) -> Mapping[str, GeneResult]:
        """What is known of each gene that somebody looked at."""
        return self.person.results

    @property
    def medicines(self) -> tuple[Medicine, ...]:
        """What is taken on the day."""
        return current(self.state)

    @property
    def unread(self) -> tuple[str, ...]:
        """Why medicines that may be taken could not be read."""
        return tuple(dict.fromkeys(one.reason for one in unread_medicines(self.state)))

    def findings(self, medicines: Iterable[Medicine], base: str = "") -> Findings:
        """What the genes say of each medicine.

        Args:
            medicines: those to look at.
            base: FHIR base that makes references absolute; empty where they stay relative.
        """
        subject = f"{base}/Patient/{self.id}" if base else f"Patient/{self.id}"
        beside = taken(self.whole, self.medicines, self.day)
        weighed = tuple(weigh(medicines, self.person, beside, self.genes))
        written: dict[str, Made] = genotypes(self.results, subject)
        about = About(subject, self.day.isoformat(), written | untested(weighed, written, subject), base)
        return report.find(weighed, about)


def known(call: Call, id_: str) -> Known:
    """Read what is known of a patient.

    Raises:
        Forbidden: a part of the record is withheld from the caller.
        NotFound, Gone: no such Patient, or none that the caller may see.
        Unprocessable: the Patient was replaced by another, whom the text names; or more fits equally well than a
            sealed question has room for.
        EngineUnavailable, EngineAnswerRefused: genes are looked up by the engine, and it did not tell.
    """
    require_whole_record(call.caller)
    services, day = call.services, reporting.today(call.services)
    with services.store.snapshot() as reader:
        replaced.current(reader, call.caller, id_)
        patient = PatientKey(LOCAL, id_)
        whole = reader.twin(patient) or TwinState(patient, 0, (), reference=patient.reference)
    state = derived.as_of(whole, day)
    return Known(id_, day, whole, state, person.of(state, services.genes), services.genes)


def subject(call: Call) -> str:
    """The id of the Patient that the parameter `subject` names.

    Raises:
        Incorrect: it is neither an id nor a reference to a Patient of this server.
    """
    text = str(call.one("subject")).strip()
    found = text if is_id(text) else local_id(text, "Patient", call.services.base_url)
    if found is None:
        raise Incorrect("`subject` must be the id of a Patient of this server, or a reference: Patient/123.")
    return found


def listed(call: Call, name: str) -> tuple[str, ...]:
    """The values of a parameter that may be repeated, and of which one may hold several, parted by commas.

    Raises:
        Incorrect: more than `MOST_ASKED`, or it is sent and names nothing.
    """
    return _some(call, name, lambda texts: (part for text in texts for part in text.split(",")))


def haplotypes(call: Call, name: str) -> tuple[str, ...]:
    """The haplotypes and genotypes that a parameter lists; a comma within a name does not part it.

    Raises:
        Incorrect: as for `listed`.
    """
    return _some(call, name, presence.parted)


def _some(call: Call, name: str, part: Callable[[list[str]], Iterable[str]]) -> tuple[str, ...]:
    texts = [str(text) for text in call.every(name)]
    if sum(text.count(",") + 1 for text in texts) > MOST_ASKED:
        raise Incorrect(f"`{name}` may name {MOST_ASKED} at most.")
    found = tuple(dict.fromkeys(one.strip() for one in part(texts) if one.strip()))
    if texts and not found:
        raise Incorrect(f"`{name}` is empty: name at least one, or leave it out where it is not required.")
    return found


def medicines(call: Call, name: str) -> tuple[Medicine, ...]:
    """The medicines that a parameter names, by RxNorm ingredient or by name.

    Raises:
        Incorrect: one is not known; nothing can be said of it, not even that there is no guidance.
    """
    found: list[Medicine] = []
    for text in listed(call, name):
        system, _, code = text.rpartition("|")
        told = named(code) if system in ("", RXNORM) else ()
        if not told:
            raise Incorrect(f"One of `{name}` is not known here: give RxNorm ingredients ({RXNORM}), or their names.")
        found += told
    return tuple(dict.fromkeys(found))


def presence_part(there: bool | None) -> dict[str, Any]:
    """The part `presence`; where it is not known, it has the extension data-absent-reason instead of a value."""
    return {"name": "presence", **({"_valueBoolean": _UNKNOWN} if there is None else {"valueBoolean": there})}


def told(parameters: Iterable[tuple[str, str, Any]], issues: Sequence[Issue]) -> Answer:
    """Answer with parameters, and with `outcome` where there is something to say of them."""
    outcomes = [("outcome", "resource", operation_outcome(issues))] if issues else []
    return with_parameters([*parameters, *outcomes])


def germline_only(call: Call) -> None:
    """Return when results of the germline are asked for, which alone are kept.

    Raises:
        Unsupported: somatic ones are.
    """
    if (call.one("genomicSourceClass") or "germline").strip().casefold() not in ("germline", "la6683-2"):
        raise Unsupported("Only germline results are told: leave out `genomicSourceClass`, or say germline.")
