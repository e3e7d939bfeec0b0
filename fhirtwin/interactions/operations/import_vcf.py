"""$import-vcf: `POST [base]/Patient/[id]/$import-vcf` with a VCF file: its genes are called, stored and in the twin.

*Source*: `profiles/OperationDefinition-import-vcf.json`; `docs/pgx/alleles.md` for how genes are called.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any, BinaryIO, Final, Literal

from fhirtwin.access import permit
from fhirtwin.errors import Incorrect, Unprocessable
from fhirtwin.interactions import replaced, reporting, vcf_documents
from fhirtwin.interactions.context import Answer
from fhirtwin.interactions.operation import Call, Level, Operation, Parameter, with_parameters
from fhirtwin.interactions.vcf_keeping import Keeping
from fhirtwin.pgx.calling import Rules, call_genes
from fhirtwin.pgx.calls import GeneCall
from fhirtwin.pgx.outside_calls import read_outside_calls, with_outside
from fhirtwin.pgx.vcf import Reading, read_vcf, sample_names
from fhirtwin.pgx.vcf_lines import Limits
from fhirtwin.report.genomics import imported
from fhirtwin.report.genomics.imported import Origin
from fhirtwin.terms.systems import FHIRTWIN

ONLY_ONE: Final = "*"
"""As `sample`: the file has one sample, and that is this patient's."""
UNPACKED: Final = 16
"""How many times its size a packed file may have as text: VCF packs to a tenth."""

LONGEST_NAME: Final = 200
STATED: Final = {
    "absent-is-reference": "By the word of who imported it, positions that the file does not show are reference.",
    "grch38": "By the word of who imported it, the file is on GRCh38.",
    "outside-prevails": "By the word of who imported it, outside calls stand where the file says otherwise.",
}

Json = dict[str, Any]

LOST: Final = (
    "an earlier import of this sample had called this gene, and what it said is no longer in the record, only in the "
    "history of the result: this import tells nothing of the gene; send outside calls again with every import"
)
"""What the earlier call was is not told: whoever may import need not be allowed to read results."""


def import_vcf(call: Call) -> Answer:
    """Call the genes of a file and keep them: a report and one Genotype for each gene, in one unit of work.

    Args:
        call: the file as body, or `document`; `sample`, `absent-is-reference`, `grch38`, `outside-calls`,
            `outside-prevails`, `date`, `dry-run`.

    Returns:
        200 with Parameters: what was called, what was not and why, and where it is stored.

    Raises:
        Incorrect: no file, or not a VCF file, or not whole, or several samples and none named; outside calls that
            cannot be read.
        NotFound, Gone: no such Patient or document.
        TooLarge: the file is.
        Unprocessable: another genome build; a sample that is not plainly this patient's; a Patient who was replaced.
    """
    dry = _says(call, "dry-run")
    for type_ in () if dry else ("Observation", "DiagnosticReport"):
        permit(call.caller, "update", type_)
    day = _day(call)
    outside = read_outside_calls(call.one("outside-calls") or "")
    with call.services.store.snapshot() as reader:
        patient = replaced.current(reader, call.caller, call.id)
    with _file(call) as (document, file):
        sample = _sample(call.one("sample"), sample_names(file), patient)
        file.seek(0)
        found = read_vcf(file, _reading(call, sample))
    calls = with_outside(
        call_genes(found, Rules(sex=_sex(patient))), outside, overriding=_says(call, "outside-prevails")
    )
    origin = Origin(call.id, sample, day.isoformat(), document, tuple(_stated(call)))
    if dry:
        return with_parameters(
            _told(calls, {gene: imported.observation(one, origin, again=False) for gene, one in calls.items()})
        )
    with call.services.store.write() as write:
        replaced.current(write, call.caller, call.id)
        keeping = Keeping(call.services, call.caller, write, origin)
        kept = keeping.keep(calls)
    stored = {"reference": f"DiagnosticReport/{origin.id_of('report')}"}
    return with_parameters([("report", "valueReference", stored), *_told(calls, kept, stored=True, lost=keeping.lost)])


def _day(call: Call) -> date:
    text, today = call.one("date"), reporting.today(call.services)
    try:
        day = date.fromisoformat(text) if text else today
    except ValueError:
        raise Incorrect("`date` must be a day: YYYY-MM-DD.") from None
    if day > today:
        raise Incorrect("`date` must not lie in the future.")
    return day


@contextmanager
def _file(call: Call) -> Iterator[tuple[str, BinaryIO]]:
    """The reference to the document, where there is one, and the file."""
    reference = call.one("document")
    if (call.content is None) == (reference is None):
        raise Incorrect("Send a VCF file as the body (text/vcf), or a Parameters that names one in `document`.")
    if call.content is not None:
        yield "", call.content
        return
    with call.services.store.snapshot() as reader:
        text = str(reference.get("reference", ""))
        found = vcf_documents.opened(call.services, call.caller, reader, text, call.id)
    yield found


def _sample(stated: str | None, names: tuple[str, ...], patient: Mapping[str, Any]) -> str:
    """The sample that is this patient's, by the caller's word or because an identifier of the Patient is its name."""
    if any(len(name) > LONGEST_NAME or not name.isprintable() for name in names):
        raise Incorrect(f"A sample of the file has no name that can be kept; give it {LONGEST_NAME} printable signs.")
    if stated == ONLY_ONE:
        if len(names) != 1:
            raise Incorrect(f"The file has {len(names)} samples; name the one that is this patient's in `sample`.")
        return names[0]
    if stated:
        if stated not in names:
            raise Incorrect("No sample of that name is in the file; name one of its `#CHROM` line in `sample`.")
        return stated
    values = {one.get("value") for one in patient.get("identifier", ())}
    ours = [name for name in names if name in values]
    if len(ours) != 1:
        raise Unprocessable(
            "Which sample of the file is this patient's is not told: name it in `sample`, or say `sample=*` when the "
            "file's only one is. Without a word a sample is taken only when its name is an identifier of the Patient."
        )
    return ours[0]


def _reading(call: Call, sample: str) -> Reading:
    most = UNPACKED * call.services.settings.max_file_bytes
    return Reading(
        sample=sample,
        absent_is_reference=_says(call, "absent-is-reference"),
        stated_grch38=_says(call, "grch38"),
        limits=Limits(text=most),
    )


def _says(call: Call, name: str) -> bool:
    return call.one(name) is True


def _stated(call: Call) -> Iterator[str]:
    """What calls rest on that the file itself does not say."""
    yield from (text for name, text in STATED.items() if _says(call, name))


def _sex(patient: Mapping[str, Any]) -> Literal["male", "female"] | None:
    match patient.get("gender"):
        case "male":
            return "male"
        case "female":
            return "female"
    return None


def _told(
    calls: Mapping[str, GeneCall],
    written: Mapping[str, Json],
    *,
    stored: bool = False,
    lost: Sequence[str] = (),
) -> Iterator[tuple[str, str, Any]]:
    for gene in calls:
        resource = written[gene]
        parts: list[Json] = [{"name": "symbol", "valueString": gene}]
        if "valueCodeableConcept" in resource:
            parts.append({"name": "genotype", "valueString": resource["valueCodeableConcept"]["text"]})
        else:
            parts.append({"name": "not-called", "valueString": resource["dataAbsentReason"]["text"]})
        parts += [{"name": "note", "valueString": note["text"]} for note in resource.get("note", ())]
        if gene in lost:
            parts.append({"name": "note", "valueString": LOST})
        if stored:
            reference = {"reference": f"Observation/{resource['id']}"}
            parts.append({"name": "observation", "valueReference": reference})
        yield "gene", "part", parts
    for gene in (one for one in lost if one not in calls):
        why = {"name": "not-called", "valueString": LOST}
        yield "gene", "part", [{"name": "symbol", "valueString": gene}, why]


OPERATION: Final = Operation(
    name="import-vcf",
    definition=f"{FHIRTWIN}/OperationDefinition/import-vcf",
    types=frozenset({"Patient"}),
    levels=frozenset({Level.INSTANCE}),
    run=import_vcf,
    parameters=(
        Parameter("document", "Reference"),
        Parameter("sample", "string"),
        Parameter("absent-is-reference", "boolean"),
        Parameter("grch38", "boolean"),
        Parameter("outside-calls", "string"),
        Parameter("outside-prevails", "boolean"),
        Parameter("date", "date"),
        Parameter("dry-run", "boolean"),
    ),
    affects_state=True,
    content=("text/vcf", "application/gzip"),
)
