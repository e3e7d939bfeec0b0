"""Everything that goes out is valid R4 and conforms to the profiles it claims; an independent validator agrees."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from fhirtwin.definitions import Definitions
from fhirtwin.errors import EngineUnavailable
from fhirtwin.fhir import codec
from fhirtwin.fhir.scrutiny import scrutinise
from fhirtwin.fhir.validator import validate
from fhirtwin.fhir.xml import from_xml
from fhirtwin.interactions import registry
from fhirtwin.interactions.operation import ANY_TYPE, Operation
from fhirtwin.pgx.results import Known, Pair
from fhirtwin.report.genomics.genotype import genotype
from fhirtwin.terms.systems import FACT, FHIRTWIN
from fhirtwin.vault import Vault
from tests import sealing
from tests.clients import nodejs
from tests.conftest import ROOT
from tests.gateway_in_process import FHIR, Gateway, gateway, maria
from tests.parts import entry, patient, transaction
from tests.pgx.files import vcf

Emitted = dict[str, dict[str, Any]]
XML = {"Accept": "application/fhir+xml"}
VCF = vcf(
    [("chr10", 94781859, ".", "G", "A", "0/1"), ("chr10", 94842866, ".", "A", "G", "1/1")], samples=["S1"]
).decode()


@dataclass(frozen=True)
class Asked:
    """One request; a path below the FHIR base, or of CDS Hooks."""

    method: str
    path: str
    sent: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    made = gateway(tmp_path_factory.mktemp("emitted"))
    yield made
    made.parts.store.close()


@pytest.fixture(scope="module")
def emitted(made: Gateway) -> Emitted:
    """One answer of each kind, by what was asked."""
    loaded = made.http.post("/fhir", data=maria(), content_type=FHIR)
    id_ = str(loaded.json["entry"][0]["response"]["location"]).split("Patient/")[1].split("/")[0]  # type: ignore[index]
    found: Emitted = {"transaction": codec.decode(loaded.data)}
    made.call(id_, made.prefetch(id_))
    for asked in (*_writes(), *_reads(id_), *_searches(id_), *_operations(id_), *_refused(id_)):
        _ask(made, asked, found)
    made.courier.fails = EngineUnavailable("The engine is down.")
    _ask(made, Asked("GET", f"/Patient/{id_}/$assess"), found)
    made.courier.fails = None
    for asked in _merging(id_):
        _ask(made, asked, found)
    return found


def _ask(made: Gateway, asked: Asked, found: Emitted) -> None:
    """Add an answer, unless it has no body; one in XML as the JSON that it stands for."""
    url = asked.path if asked.path.startswith("/cds") else f"/fhir{asked.path}"
    headers = {"Content-Type": FHIR, **asked.headers} if asked.sent else dict(asked.headers)
    answer = made.http.open(url, method=asked.method, data=asked.sent, headers=headers)
    if answer.data:
        data = from_xml(answer.data, max_depth=100) if "xml" in answer.content_type else answer.data
        found[f"{asked.method} {asked.path} {answer.status_code} ({len(found)})"] = codec.decode(data)


def _reads(id_: str) -> list[Asked]:
    return [
        Asked("GET", "/metadata"),
        Asked("GET", "/metadata", headers=XML),
        Asked("GET", "/metadata?_summary=true"),
        Asked("GET", f"/Patient/{id_}"),
        Asked("GET", f"/Patient/{id_}", headers=XML),
        Asked("GET", f"/Patient/{id_}/_history"),
        Asked("GET", f"/Patient/{id_}/_history/1"),
        Asked("GET", "/Patient/changed/_history"),
        Asked("GET", "/Patient/deleted/_history"),
        Asked("GET", "/Patient/_history?_count=2"),
        Asked("GET", "/_history"),
        Asked("GET", "/_history?_count=3", headers=XML),
        Asked("GET", "/Binary/content", headers={"Accept": FHIR}),
    ]


def _searches(id_: str) -> list[Asked]:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    return [
        Asked("GET", f"/RiskAssessment?patient={id_}"),
        Asked("GET", f"/Observation?patient={id_}&_count=2"),
        Asked("GET", f"/Observation?patient={id_}&_include=Observation:subject&_sort=-date"),
        Asked("GET", f"/Patient?_id={id_}&_revinclude=*&_count=5"),
        Asked("GET", f"/Patient?_has:Observation:patient:code=2160-0&_elements=name&_id={id_}"),
        Asked("GET", f"/RiskAssessment?patient={id_}", headers=XML),
        Asked("GET", "/Provenance"),
        Asked("GET", "/AuditEvent"),
        Asked("GET", f"/?_type=Patient,Condition&_id={id_}"),
        Asked("POST", "/Observation/_search", f"patient={id_}&_summary=true", form),
        Asked("GET", "/Medication?_contained=true"),
        *(
            Asked("GET", f"/{type_}?_summary={how}")
            for type_ in ("Patient", "Observation", "MedicationRequest", "RiskAssessment", "Provenance", "ValueSet")
            for how in ("true", "text", "data", "count")
        ),
        *(
            Asked("GET", f"/{type_}?_elements=id,language")
            for type_ in ("Observation", "Condition", "MedicationRequest", "RiskAssessment", "Provenance", "ValueSet")
        ),
        Asked("GET", "/Observation?nonsense=1", headers={"Prefer": "handling=lenient"}),
    ]


def _operations(id_: str) -> list[Asked]:
    """Each operation that there is, on each kind of answer that it has."""
    sealed, _ = Vault(sealing.PANEL).seal((sealing.PANEL.low + sealing.PANEL.high) / 2)
    tag = {"name": "meta", "valueMeta": {"tag": [{"system": "http://x.test/tags", "code": "a"}]}}
    validating = "/Patient/$validate"
    return [
        Asked("GET", f"/Patient/{id_}/$twin"),
        Asked("GET", f"/Patient/{id_}/$twin?date=2026-06-01"),
        Asked("GET", "/Patient/changed/$twin"),
        Asked("GET", f"/Patient/{id_}/$assess"),
        Asked("GET", "/Patient/changed/$assess"),
        Asked("POST", f"/Patient/{id_}/$assess?store=true"),
        Asked("POST", f"/Patient/{id_}/$evaluate-sealed", json.dumps(sealing.parameters(sealed))),
        Asked("GET", f"/Patient/{id_}/$everything"),
        Asked("GET", f"/Patient/{id_}/$everything?_count=3", headers=XML),
        Asked("GET", f"/Observation/$lastn?patient={id_}&category="),
        Asked("GET", "/$meta"),
        Asked("GET", f"/Patient/{id_}/$meta"),
        Asked("POST", "/Patient/changed/$meta-add", _parameters(tag)),
        Asked("POST", "/Patient/changed/$meta-delete", _parameters(tag)),
        Asked("POST", validating, json.dumps(patient(gender="woman"))),
        Asked("POST", f"{validating}?mode=create", json.dumps(patient())),
        Asked("POST", f"{validating}?mode=update", json.dumps(patient(id="n", meta={"profile": ["http://x.test/p"]}))),
        Asked("GET", f"/Patient/{id_}/$validate"),
        Asked("GET", "/ValueSet/$expand?url=http://hl7.org/fhir/ValueSet/administrative-gender"),
        Asked("GET", f"/ValueSet/$expand?url={FHIRTWIN}/ValueSet/fact&filter=a&count=2"),
        Asked("GET", f"/ValueSet/$validate-code?url={FHIRTWIN}/ValueSet/fact&code=x&system={FACT}"),
        Asked("GET", f"/CodeSystem/$lookup?system={FACT}&code=creatinine"),
        Asked("GET", f"/CodeSystem/$validate-code?url={FACT}&code=nothing"),
        Asked("GET", f"/CodeSystem/$validate-code?url={FACT}&code=creatinine&display=other"),
        Asked("GET", "/CodeSystem/$lookup?system=http://x.test/none&code=a"),
        Asked("GET", "/ConceptMap/map/$translate?code=a&system=http://x.test/a"),
        Asked("GET", "/ConceptMap/map/$translate?code=z&system=http://x.test/a"),
        Asked("GET", "/Measure/alert-burden"),
        Asked("GET", "/Measure/alert-burden/$evaluate-measure?periodStart=2026&periodEnd=2026"),
        *_of_genes("changed"),
        *_of_genes(id_),
    ]


def _of_genes(id_: str) -> list[Asked]:
    """Of a patient with genotypes, and of one without."""
    return [
        Asked("POST", f"/Patient/{id_}/$import-vcf?sample=S1", VCF, {"Content-Type": "text/vcf"}),
        Asked("GET", f"/$find-subject-haplotypes?subject={id_}&genes=CYP2C19,HGNC:2625,BRCA1"),
        Asked("GET", f"/$find-subject-specific-haplotypes?subject={id_}&haplotypes=CYP2C19*2,TPMT*1"),
        Asked("GET", f"/$find-subject-tx-implications?subject={id_}&treatments=citalopram,codeine,fluoxetine"),
        Asked("GET", f"/$find-subject-tx-implications?subject={id_}&haplotypes=CYP2C19*2", headers=XML),
        Asked("GET", f"/$find-subject-variants?subject={id_}&ranges=NC_000010.11:1-2&includeVariants=true"),
        Asked("GET", f"/Patient/{id_}/$pharmacogenomic-report"),
        Asked("GET", f"/Patient/{id_}/$pharmacogenomic-report?all=true"),
        Asked("GET", f"/Patient/{id_}/$pharmacogenomic-report?drug=warfarin", headers=XML),
        Asked("GET", f"/Patient/{id_}/$treatment-response?setting=depression"),
        Asked(
            "GET", f"/Patient/{id_}/$treatment-response?setting=schizophrenia&drug=lithium&drug=clozapine", headers=XML
        ),
    ]


def _writes() -> list[Asked]:
    kept = {"Prefer": "return=OperationOutcome"}
    changed = patient(id="changed", name=[{"family": "Muster"}])
    patch = [{"op": "replace", "path": "/gender", "value": "male"}]
    binary = {"resourceType": "Binary", "id": "content", "contentType": "text/plain", "data": "aGVsbG8="}
    medicine = {"resourceType": "Medication", "id": "m", "status": "active"}
    request = {
        "resourceType": "MedicationRequest",
        "id": "request",
        "status": "active",
        "intent": "order",
        "contained": [medicine],
        "medicationReference": {"reference": "#m"},
        "subject": {"reference": "Patient/changed"},
    }
    equal = [{"code": "a", "target": [{"code": "b", "equivalence": "equal"}]}]
    concept_map = {
        "resourceType": "ConceptMap",
        "id": "map",
        "url": "http://x.test/ConceptMap/map",
        "status": "active",
        "group": [{"source": "http://x.test/a", "target": "http://x.test/b", "element": equal}],
    }
    return [
        Asked("PUT", "/Patient/changed", json.dumps(patient(id="changed"))),
        Asked("PUT", "/Patient/changed", json.dumps(changed), kept),
        Asked("PATCH", "/Patient/changed", json.dumps(patch), {"Content-Type": "application/json-patch+json"}),
        Asked("PUT", "/Patient/deleted", json.dumps(patient(id="deleted")), {"Prefer": "return=representation"}),
        Asked("DELETE", "/Patient/deleted", headers=kept),
        Asked("PUT", "/Binary/content", json.dumps(binary)),
        Asked("PUT", "/MedicationRequest/request", json.dumps(request)),
        Asked("PUT", "/ConceptMap/map", json.dumps(concept_map)),
        *(Asked("POST", "/Observation", codec.encode(one).decode()) for one in _genotypes("Patient/changed")),
    ]


def _genotypes(subject: str) -> list[dict[str, Any]]:
    pair = Pair("*2", "*2")
    known = (Known("CYP2C19", (pair,)), Known("CYP2D6", not_called="not called, because no reads"))
    return [genotype(one, subject, "2024-03-01") for one in known]


def _refused(id_: str) -> list[Asked]:
    batch = [entry("GET", f"Patient/{id_}"), entry("GET", "Patient/x"), entry("GET", "Patient?_id=x")]
    return [
        Asked("GET", "/Observation?nonsense=1"),
        Asked("GET", "/Patient/none"),
        Asked("GET", "/Patient/deleted"),
        Asked("GET", "/Nonsense/none"),
        Asked("GET", "/Nonsense/none", headers=XML),
        Asked("GET", "/Patient/none/$nonsense"),
        Asked("GET", "/a/b/c/d/e"),
        Asked("GET", f"/Patient/{id_}", headers={"Accept": "text/html"}),
        Asked("POST", "/Patient", json.dumps(patient(gender="woman"))),
        Asked("POST", "/Patient", '{"resourceType"'),
        Asked("POST", "/Patient", "text", {"Content-Type": "text/plain"}),
        Asked("PUT", "/Patient/changed", json.dumps(patient(id="other"))),
        Asked("PUT", "/Patient/changed", json.dumps(patient(id="changed")), {"If-Match": 'W/"1"'}),
        Asked("DELETE", "/Patient?gender=male,female"),
        Asked("POST", "/AuditEvent", '{"resourceType":"AuditEvent"}'),
        Asked("PUT", "/metadata", "{}"),
        Asked("POST", "", json.dumps({"resourceType": "Bundle", "type": "batch", "entry": batch})),
        Asked("POST", "", json.dumps(transaction(entry("POST", "Patient", patient(gender="woman"))))),
        Asked("POST", "/cds-services/twin-patient-view", "{}"),
        Asked("GET", "/cds-services/nonsense"),
    ]


def _merging(id_: str) -> list[Asked]:
    names = {"source": id_, "target": "changed"}
    sent = [{"name": f"{n}-patient", "valueReference": {"reference": f"Patient/{one}"}} for n, one in names.items()]
    return [
        Asked("POST", "/Patient/$merge?preview=true", _parameters(*sent)),
        Asked("POST", "/Patient/$merge", _parameters(*sent)),
        Asked("POST", "/Patient/$merge", _parameters(sent[0])),
        Asked("GET", "/Patient/changed"),
        Asked("GET", f"/Patient/{id_}"),
        Asked("GET", f"/Patient/{id_}/$twin"),
        Asked("GET", "/Patient/changed/$twin"),
        Asked("GET", "/Patient/changed/$assess"),
        Asked("GET", f"/Observation?patient={id_}"),
        Asked("GET", "/Observation?patient=changed&_count=3"),
        Asked("GET", "/RiskAssessment?patient=changed"),
        Asked("GET", "/_history?_count=40"),
    ]


def _parameters(*given: dict[str, Any]) -> str:
    return json.dumps({"resourceType": "Parameters", "parameter": list(given)})


def test_every_kind_of_answer_was_given(emitted: Emitted) -> None:
    kinds = {one["resourceType"] for one in emitted.values()}
    assert kinds >= {"Bundle", "CapabilityStatement", "OperationOutcome", "Parameters", "ValueSet", "Patient", "Binary"}
    bundles = [one for one in emitted.values() if one["resourceType"] == "Bundle"]
    made = {one["type"] for one in bundles}
    assert made >= {"searchset", "history", "batch-response", "transaction-response", "collection"}
    modes = {listed["search"]["mode"] for one in bundles for listed in one.get("entry", ()) if "search" in listed}
    assert modes == {"match", "include", "outcome"}
    statuses = {asked.split(" ")[2] for asked in emitted if " " in asked}
    assert statuses >= {"200", "201", "400", "404", "405", "406", "410", "412", "415", "422", "503"}
    risks = [one for asked, one in emitted.items() if asked.startswith("GET /RiskAssessment?patient=")]
    assert [one["total"] for one in risks] == [2, 2, 2]


@pytest.mark.parametrize("operation", registry.all_operations(), ids=lambda one: one.definition)
def test_every_operation_answered(emitted: Emitted, operation: Operation) -> None:
    types = "" if not operation.types - {ANY_TYPE} else f"/({'|'.join(operation.types)})"
    asked = re.compile(rf"\w+ {types}(/[^ ]*)?/\${operation.name}(\?[^ ]*)? 200 ")
    assert [one for one in emitted if asked.match(one)]


def test_everything_emitted_is_valid_and_conforms_to_what_it_claims(made: Gateway, emitted: Emitted) -> None:
    wrong: dict[str, list[Any]] = {}
    with made.parts.store.snapshot() as reader:
        for asked, resource in emitted.items():
            # A part of a resource need not have what profiles and rules want beyond R4.
            is_part = b'"SUBSETTED"' in codec.encode(resource)
            issues = validate(resource) or ([] if is_part else scrutinise(resource, Definitions(reader)))
            wrong[asked] = [issue for issue in issues if issue.severity == "error" or "profile" in issue.text]
    assert {asked: issues for asked, issues in wrong.items() if issues} == {}


def test_an_independent_validator_finds_no_error(shared: Path, tmp_path: Path, emitted: Emitted) -> None:
    modules = nodejs.require(Path(__file__).parent / "oracle", "fhirpath").parent
    for number, resource in enumerate(emitted.values()):
        (tmp_path / f"{number}.json").write_bytes(codec.encode(resource))
    for file in (ROOT / "profiles").glob("*.json"):
        shutil.copy(file, tmp_path)
    oracle = shared / "tools/r4-oracle/validate_r4.cjs"
    command = ["node", str(oracle), "--json", str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "NM": str(modules)})
    assert run.returncode == 0, run.stdout[:4000] + run.stderr[:2000]
