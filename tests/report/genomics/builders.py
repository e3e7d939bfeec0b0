"""A twin with genes and medicines, and the report on it, made in one line."""

from __future__ import annotations

from datetime import date
from typing import Any

from fhirtwin.pgx import hgnc
from fhirtwin.pgx.lookup import PLAIN
from fhirtwin.report.genomics import report
from fhirtwin.report.genomics.genotypes import genotypes, untested
from fhirtwin.report.genomics.implication import About
from fhirtwin.report.genomics.medicines import Medicine, current, named
from fhirtwin.report.genomics.report import Findings
from fhirtwin.report.genomics.weighed import taken, weigh
from fhirtwin.rules.genetics import person
from fhirtwin.terms.drugs.ingredients import CODES
from fhirtwin.twin import derived
from fhirtwin.twin.state import Fact, PatientKey, Source, TwinState, in_order

DAY = date(2026, 1, 1)
BASE = "https://twin.example/fhir"
Json = dict[str, Any]


def gene(symbol: str, value: str, name: str = "diplotype") -> Fact:
    source = Source("", "Observation", f"o-{symbol}", "1")
    return Fact(name, value, (source,), time="2024-01-01", system=hgnc.SYSTEM, code=hgnc.IDS[symbol], display=symbol)


def medicine(name: str, *, end: str = "", kind: str = "MedicationStatement") -> Fact:
    source = Source("", kind, f"m-{name}", "1")
    return Fact("medicine", CODES[name], (source,), time="2024-01-01", end=end, active=not end)


def state(*facts: Fact) -> TwinState:
    return TwinState(PatientKey("", "p"), 1, in_order(facts), reference="Patient/p")


def findings(*facts: Fact, asked: tuple[str, ...] = ()) -> Findings:
    """What is said of medicines taken and asked for."""
    twin = state(*facts)
    today = derived.as_of(twin, DAY)
    known, subject = person.of(today), f"{BASE}/Patient/p"
    now = current(today)
    chosen: tuple[Medicine, ...] = (*now, *(one for text in asked for one in named(text)))
    weighed = tuple(weigh(chosen, known, taken(twin, now, DAY), PLAIN))
    written = genotypes(known.results, subject)
    every = written | untested(weighed, written, subject)
    return report.find(weighed, About(subject, DAY.isoformat(), every, BASE))


def bundle(*facts: Fact, asked: tuple[str, ...] = ()) -> Json:
    return report.bundle(findings(*facts, asked=asked))


def of_type(made: Json, type_: str, profile: str = "") -> list[Json]:
    """Resources of one type, of one profile of ours when told."""
    resources = (entry["resource"] for entry in made["entry"] if entry["resource"]["resourceType"] == type_)
    return [one for one in resources if one["meta"]["profile"][0].endswith(f"/{profile}" if profile else "")]


def components(resource: Json, code: str) -> list[Any]:
    """Values of a component: texts."""
    found = [c for c in resource["component"] if c["code"]["coding"][0]["code"] == code]
    return [c.get("valueString") or c["valueCodeableConcept"].get("text") for c in found]
