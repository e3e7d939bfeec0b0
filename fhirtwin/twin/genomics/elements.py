"""What every genomics result has: components, its genes, how facts of it are made and why it is refused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from fhirtwin.pgx import hgnc
from fhirtwin.pgx.calls import MAY_BE
from fhirtwin.terms.systems import LOINC
from fhirtwin.twin.mapper import Resource
from fhirtwin.twin.reading import FINAL, codings, items, text
from fhirtwin.twin.state import Fact, Mapped, Source, Unused

TBD: Final = tuple(
    f"http://hl7.org/fhir/uv/genomics-reporting/CodeSystem/{name}" for name in ("tbd-codes-cs", "tbd-codes", "TbdCodes")
)
"""The guide's own code system by the names that it has had."""

GENE_STUDIED: Final = "48018-6"
SOURCE_CLASS: Final = "48002-0"
GERMLINE: Final = "LA6683-2"
_GENE_SYSTEMS: Final = (hgnc.SYSTEM, f"{hgnc.SYSTEM}/geneId", "https://www.genenames.org")


class NotRead(Exception):
    """Why a result is not used.

    Attributes:
        gene: that was looked at, where it is known.
        may_be: what it may mean all the same, as facts are written.
    """

    def __init__(self, reason: str, gene: str = "", may_be: Iterable[str] = ()) -> None:
        super().__init__(reason)
        self.gene = gene
        self.may_be = tuple(may_be)


def refusal(resource: Resource) -> str | None:
    """Say why a genomics Observation is not used at all, or None when it may be."""
    if text(resource, "status") not in FINAL:
        return "its status is not final, amended or corrected"
    if resource.get("focus"):
        return "it is about something other than the patient (focus)"
    for value in component_values(resource, SOURCE_CLASS):
        if GERMLINE not in {c.code for c in codings(value)}:
            return "it is not germline: only inherited genes are used"
    return None


def component_values(resource: Resource, *codes: str, tbd: tuple[str, ...] = ()) -> Iterator[Any]:
    """Give the values of the components with a LOINC code, or a code of the guide's own system."""
    for component in items(resource, "component"):
        found = list(codings(component.get("code")))
        if any((c.system == LOINC and c.code in codes) or (c.system in TBD and c.code in tbd) for c in found):
            yield next((value for name, value in component.items() if name.startswith("value")), None)


def words(value: Any) -> list[str]:
    """Give all that a value says in letters: codes, displays and texts, each once, without needless blanks."""
    if isinstance(value, str):
        said = [value]
    else:
        parts = [part for coding in items(value, "coding") for part in (text(coding, "code"), text(coding, "display"))]
        said = [*parts, text(value, "text")]
    return list(dict.fromkeys(" ".join(one.split()) for one in said if one.strip()))


def genes_studied(resource: Resource) -> list[str]:
    """Give the symbols of the genes that an Observation names.

    Senders leave out the prefix of the id; a bare number may be the id of a group of genes, so the symbol beside it
    must be that gene's.

    Raises:
        NotRead: it names genes, and none of them is in the tables.
    """
    values = list(component_values(resource, GENE_STUDIED))
    found = [symbol for value in values if (symbol := _symbol(value))]
    if values and not found:
        raise NotRead("it is of a gene that no table here knows")
    return list(dict.fromkeys(found))


def _symbol(value: Any) -> str:
    symbols = {s for coding in items(value, "coding") if (s := _by_coding(coding))}
    if not symbols and text(value, "text") in hgnc.IDS:
        symbols = {text(value, "text")}
    return symbols.pop() if len(symbols) == 1 else ""


def _by_coding(coding: dict[str, Any]) -> str:
    system, code, display = (text(coding, name) for name in ("system", "code", "display"))
    if system not in _GENE_SYSTEMS:
        return ""
    if code in hgnc.SYMBOLS:
        return hgnc.SYMBOLS[code]
    if code in hgnc.IDS:
        return code
    return display if hgnc.IDS.get(display) == f"HGNC:{code}" else ""


def with_gene(said: str) -> tuple[str, str]:
    """Part `CYP2D6 *1/*41` or `HLA-B*57:01` into gene and rest; the gene is empty where none stands before.

    Symbols are met in small letters, too.
    """
    for gene in sorted(hgnc.IDS, key=len, reverse=True):
        if said[: len(gene)].upper() == gene and not said[len(gene) : len(gene) + 1].isalnum():
            return gene, said[len(gene) :].lstrip(" :")
    return "", said


def fact(name: str, gene: str, value: str, source: Source, time: str, note: str = "") -> Fact:
    """Make a fact about a gene."""
    return Fact(name, value, (source,), "", time, "", True, hgnc.SYSTEM, hgnc.IDS[gene], gene, note)


def mapped(facts: Iterable[Fact], source: Source, left: Iterable[str] = ()) -> Mapped:
    """Give facts, each once, and reasons."""
    return Mapped(tuple(dict.fromkeys(facts)), tuple(Unused(source, reason) for reason in dict.fromkeys(left)))


def not_called(finding: NotRead, source: Source, time: str) -> Mapped:
    """Give what a result comes to that is not read: the reason, and that its gene is not called, where it is known."""
    beside = "\n".join(f"{MAY_BE}{one}" for one in finding.may_be)
    facts = [fact("gene-not-called", finding.gene, str(finding), source, time, beside)] if finding.gene else []
    return mapped(facts, source, [f"{finding.gene}: {finding}" if finding.gene else str(finding)])
