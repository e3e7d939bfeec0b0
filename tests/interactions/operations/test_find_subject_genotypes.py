"""The operations on genotypes, over HTTP: posted as Observations, asked as HL7's reference server is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

from fhirtwin.access import Caller
from fhirtwin.fhir import codec
from fhirtwin.fhir.validator import validate
from fhirtwin.interactions import invoke
from fhirtwin.interactions.context import Services
from fhirtwin.terms.drugs.ingredients import CODES, combinations
from fhirtwin.terms.systems import RXNORM
from tests.interactions.operations.stored import Json, assert_whole_record_only, known, post, put, statement
from tests.parts import patient

UNKNOWN = [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]


@pytest.fixture
def record(client: FlaskClient) -> FlaskClient:
    put(client, patient(id="p"), patient(id="empty"))
    post(client, known("CYP2C19", ("*1", "*17")), known("CYP2D6", ("*1", "*1")), known("HLA-B", ("*08:01", "*40:01")))
    post(client, known("DPYD", not_called="not called, because no reads"))
    return client


def ask(client: FlaskClient, name: str, *, subject: str = "p", **parameters: str) -> Json:
    query = "&".join(f"{key}={quote(value)}" for key, value in parameters.items())
    answer = client.get(f"/fhir/${name}?subject={subject}&{query}")
    assert answer.status_code == 200, answer.text
    made = codec.decode(answer.data)
    assert validate(made, type="Parameters") == []
    return made


def named(made: Json, name: str) -> list[Json]:
    return [one for one in made.get("parameter", ()) if one["name"] == name]


def values(one: Json) -> dict[str, Any]:
    """Parts by name; a genotype as its text."""
    found: dict[str, Any] = {}
    for part in one["part"]:
        resource = part.get("resource")
        text = resource.get("valueCodeableConcept", {}).get("text") if resource else None
        found[part["name"]] = part.get("valueString", part.get("valueBoolean", text))
    return found


def diagnostics(made: Json) -> str:
    return " ".join(issue["diagnostics"] for one in named(made, "outcome") for issue in one["resource"]["issue"])


def test_genotypes_are_given_by_gene_in_the_order_asked(record: FlaskClient) -> None:
    made = ask(record, "find-subject-haplotypes", genes="http://www.genenames.org|HGNC:2625,HGNC:2621,HLA-B")
    assert [values(one) for one in named(made, "haplotypes")] == [
        {"geneItem": "HGNC:2625", "genotype": "CYP2D6 *1/*1"},
        {"geneItem": "HGNC:2621", "genotype": "CYP2C19 *1/*17"},
        {"geneItem": "HLA-B", "genotype": "HLA-B *08:01/*40:01"},
    ]
    assert named(made, "outcome") == []


def test_a_gene_not_called_has_the_reason_and_one_not_looked_at_is_named(record: FlaskClient) -> None:
    made = ask(record, "find-subject-haplotypes", genes="DPYD,TPMT,BRCA1")
    called, looked, read = named(made, "haplotypes")
    assert "no reads" in called["part"][1]["resource"]["dataAbsentReason"]["text"]
    assert len(looked["part"]) == len(read["part"]) == 1
    assert "TPMT was not looked at" in diagnostics(made)
    assert "no gene that is read here" in diagnostics(made)


def test_haplotypes_are_there_or_not_or_not_known(record: FlaskClient) -> None:
    asked = "CYP2C19 *17,CYP2C19 *17/*1,CYP2C19 *2,HLA-B*27,HLA-B*40,DPYD c.1905+1G>A (*2A),TPMT *1"
    made = ask(record, "find-subject-specific-haplotypes", haplotypes=asked)
    found = named(made, "haplotypes")
    assert [values(one)["presence"] for one in found] == [True, True, False, False, True, None, None]
    assert ["genotype" in values(one) for one in found] == [True, True, False, False, True, False, False]
    absent = [part for part in found[-1]["part"] if part["name"] == "presence"]
    assert absent == [{"name": "presence", "_valueBoolean": {"extension": UNKNOWN}}]
    assert "DPYD" in diagnostics(made)
    assert "TPMT" in diagnostics(made)


def test_implications_of_treatments_come_with_the_genotypes_they_follow_from(record: FlaskClient) -> None:
    made = ask(record, "find-subject-tx-implications", treatments=f"{RXNORM}|{CODES['citalopram']},fluoxetine")
    (implication,) = [one["resource"] for one in named(made, "implication")]
    (given,) = [one["resource"] for one in named(made, "genotype")]
    assert implication["derivedFrom"] == [{"reference": f"Observation/{given['id']}"}]
    assert given["valueCodeableConcept"]["text"] == "CYP2C19 *1/*17"
    assert "fluoxetine: no CPIC or DPWG guidance" in diagnostics(made)


def test_implications_of_haplotypes_are_of_that_gene_for_every_drug(record: FlaskClient) -> None:
    made = ask(record, "find-subject-tx-implications", haplotypes="CYP2C19 *17")
    (given,) = [
        one["resource"]
        for one in named(made, "genotype")
        if "CYP2C19" in one["resource"]["valueCodeableConcept"]["text"]
    ]
    every = [one["resource"] for one in named(made, "implication")]
    assert len(every) > 10
    assert all({"reference": f"Observation/{given['id']}"} in one["derivedFrom"] for one in every)
    none = ask(record, "find-subject-tx-implications", haplotypes="CYP2C19 *2")
    assert named(none, "implication") == []
    assert "Nothing is told by a haplotype of CYP2C19" in diagnostics(none)


def test_what_other_medicines_do_is_an_implication_of_its_own(record: FlaskClient) -> None:
    post(record, statement("paroxetine"))
    made = ask(record, "find-subject-tx-implications", treatments="codeine")
    texts = [c.get("valueString", "") for one in named(made, "implication") for c in one["resource"]["component"]]
    assert any("Poor Metabolizer (activity score 0.0) with paroxetine" in text for text in texts)


def test_a_report_is_of_medicines_taken_asked_for_or_of_all(record: FlaskClient) -> None:
    post(record, statement("citalopram"), statement("paroxetine"))

    def of(query: str) -> Json:
        answer = record.get(f"/fhir/Patient/p/$pharmacogenomic-report{query}")
        assert answer.status_code == 200, answer.text
        made = codec.decode(answer.data)
        assert validate(made, type="Bundle") == []
        return made

    def drugs(made: Json) -> set[str]:
        found = [c for e in made["entry"] for c in e["resource"].get("component", ())]
        assessed = [c for c in found if c["code"]["coding"][0]["code"] == "51963-7"]
        return {c["valueCodeableConcept"]["text"] for c in assessed}

    assert drugs(of("")) == {"citalopram", "paroxetine"}
    assert drugs(of("?drug=escitalopram&drug=codeine")) == {"escitalopram", "codeine"}
    assert {"citalopram", "clopidogrel", "codeine", "tramadol"} <= drugs(of("?all=true"))
    assert record.get("/fhir/Patient/p/$pharmacogenomic-report?all=true&drug=codeine").status_code == 400


def test_a_report_of_a_patient_without_genes_says_so(record: FlaskClient) -> None:
    made = codec.decode(record.get("/fhir/Patient/empty/$pharmacogenomic-report").data)
    assert made["entry"][0]["resource"]["conclusion"].startswith("No gene was called.")


@pytest.mark.parametrize("drug", ["escitaloprm", "312938", "http://snomed.info/sct|372596005"])
def test_of_a_drug_that_is_not_known_it_is_not_said_that_there_is_no_guidance(record: FlaskClient, drug: str) -> None:
    for path in ("$find-subject-tx-implications?subject=p&treatments", "Patient/p/$pharmacogenomic-report?drug"):
        answer = record.get(f"/fhir/{path}={quote(drug)}")
        assert answer.status_code == 400
        assert answer.json is not None
        assert "not known here" in answer.json["issue"][0]["diagnostics"]


def test_a_fixed_combination_is_its_ingredients(record: FlaskClient) -> None:
    code = next(c for c, parts in combinations().items() if CODES["codeine"] in parts)
    made = ask(record, "find-subject-tx-implications", treatments=code)
    assert named(made, "implication")
    assert "acetaminophen: no CPIC or DPWG guidance" in diagnostics(made)


QUERIES = (
    ("find-subject-haplotypes", "genes=CYP2C19"),
    ("find-subject-specific-haplotypes", "haplotypes=CYP2C19 *1"),
    ("find-subject-tx-implications", "treatments=codeine"),
    ("find-subject-variants", "ranges=NC_000010.11:1-2"),
)


@pytest.mark.parametrize(("name", "query"), QUERIES)
def test_wrong_calls_are_refused_with_an_outcome(record: FlaskClient, name: str, query: str) -> None:
    expected = {
        f"{query}": 400,
        "subject=p": 400,
        f"subject=p&{query}&testIdentifiers=x": 400,
        f"subject=p q&{query}": 400,
        f"subject=nobody&{query}": 404,
    }
    for text, status in expected.items():
        answer = record.get(f"/fhir/${name}?{text}")
        assert (text, answer.status_code) == (text, status)
        assert answer.json is not None
        assert answer.json["resourceType"] == "OperationOutcome"


def test_a_name_that_no_table_has_is_not_told_to_be_absent(record: FlaskClient) -> None:
    made = ask(record, "find-subject-specific-haplotypes", haplotypes="CYP2C19 *999,CYP2C19 *2")
    assert [values(one)["presence"] for one in named(made, "haplotypes")] == [None, False]
    assert "of no allele that the tables here have" in diagnostics(made)


def test_a_list_that_names_nothing_is_refused(record: FlaskClient) -> None:
    for name, parameter in (("specific-haplotypes", "haplotypes"), ("haplotypes", "genes"), ("variants", "ranges")):
        for empty in ("", " ,"):
            answer = record.get(f"/fhir/$find-subject-{name}?subject=p&{parameter}={empty}")
            assert (name, empty, answer.status_code) == (name, empty, 400)


@pytest.mark.parametrize(("name", "query"), QUERIES[:3])
def test_somatic_results_are_not_told(record: FlaskClient, name: str, query: str) -> None:
    assert record.get(f"/fhir/${name}?subject=p&{query}&genomicSourceClass=somatic").status_code == 400
    assert record.get(f"/fhir/${name}?subject=p&{query}&genomicSourceClass=germline").status_code == 200


@pytest.mark.parametrize(("name", "query"), QUERIES)
def test_a_bounded_caller_is_told_of_theirs_alone(
    record: FlaskClient, services: Services, name: str, query: str
) -> None:
    pair = query.split("=", 1)

    def call(caller: Caller, subject: str) -> int:
        operation = invoke.find("", "", name, "GET")
        return invoke.invoke(
            services, caller, operation, "", "", "GET", [("subject", subject), (pair[0], pair[1])]
        ).status

    assert_whole_record_only(call)


REFERENCE = "data/pgx/fhir/genomics-operations"


def recorded(shared: Path, name: str) -> Json:
    """An output of HL7's reference server."""
    return codec.decode((shared / REFERENCE / f"{name}.json").read_bytes())


def genotypes_of(made: Json) -> list[Json]:
    """Every Genotype in an output, once, about our patient."""
    parts = [p for one in made["parameter"] for p in (one, *one.get("part", ()))]
    found = {p["resource"]["id"]: p["resource"] for p in parts if p["name"] == "genotype"}
    return [{**one, "subject": {"reference": "Patient/p"}} for one in found.values()]


def shape(made: Json) -> list[Any]:
    """Names of parameters and parts, asked-for items, presence, and what each Genotype is of."""
    return [(one["name"], sorted(map(_part, one["part"]))) for one in named(made, "haplotypes")]


def _part(part: Json) -> tuple[str, str]:
    if "resource" not in part:
        return part["name"], str(part.get("valueString", part.get("valueBoolean")))
    concept = part["resource"]["valueCodeableConcept"]
    text = concept.get("text") or concept["coding"][0]["code"].removeprefix("hla#3.33.0#").replace("/HLA-B", "/")
    gene = part["resource"]["component"][0]["valueCodeableConcept"]["coding"][0]["code"]
    return part["name"], f"{gene} {''.join(text.split())} {part['resource']['code']['coding'][0]['code']}"


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_haplotypes_have_the_shape_of_the_reference_server(client: FlaskClient, shared: Path, number: int) -> None:
    theirs = recorded(shared, f"find_subject_haplotypes__{number}")
    put(client, patient(id="p"), *genotypes_of(theirs))
    items = [values(one)["geneItem"] for one in named(theirs, "haplotypes")]
    assert shape(ask(client, "find-subject-haplotypes", genes=",".join(items))) == shape(theirs)


def test_specific_haplotypes_have_the_shape_of_the_reference_server(client: FlaskClient, shared: Path) -> None:
    there, absent, _ = (recorded(shared, f"find_subject_specific_haplotypes__{n}") for n in (1, 2, 3))
    typed = recorded(shared, "find_subject_haplotypes__3")
    put(client, patient(id="p"), *genotypes_of(there), *genotypes_of(typed))
    made = ask(client, "find-subject-specific-haplotypes", haplotypes="CYP2C19,HLA-B*27")
    assert shape(made) == shape(there) + shape(absent)


def test_a_haplotype_of_a_gene_that_is_not_read_here_is_not_known(client: FlaskClient, shared: Path) -> None:
    theirs = recorded(shared, "find_subject_specific_haplotypes__3")
    put(client, patient(id="p"), *genotypes_of(theirs))
    made = ask(client, "find-subject-specific-haplotypes", haplotypes="DRB1*13:02")
    assert values(named(made, "haplotypes")[0]) == {"haplotypeItem": "DRB1*13:02", "presence": None}
    assert "a gene that is not read here" in diagnostics(made)


@pytest.mark.parametrize("number", [2, 4])
def test_implications_have_the_shape_of_the_reference_server(client: FlaskClient, shared: Path, number: int) -> None:
    theirs = recorded(shared, f"find_subject_tx_implications__{number}")
    put(client, patient(id="p"), *genotypes_of(theirs))
    medicines = {
        c["valueCodeableConcept"]["coding"][0]["code"]
        for one in named(theirs, "implication")
        for c in one["resource"]["component"]
        if c["code"]["coding"][0]["code"] == "51963-7"
    }
    made = ask(client, "find-subject-tx-implications", treatments=",".join(sorted(medicines)))
    assert {one["name"] for one in made["parameter"]} <= {"implication", "genotype", "outcome"}
    given = {one["resource"]["id"] for one in named(made, "genotype")}
    for one in named(made, "implication"):
        resource = one["resource"]
        assert {"resourceType", "id", "meta", "status", "category", "code", "subject", "derivedFrom", "component"} <= {
            *resource
        }
        assert {each["reference"].removeprefix("Observation/") for each in resource["derivedFrom"]} <= given
        codes = {c["code"]["coding"][0]["code"] for c in resource["component"]}
        assert {"51963-7", "93044-6", "therapeutic-implication"} <= codes
    with_rows = {
        c["valueCodeableConcept"]["coding"][0]["code"]
        for one in named(made, "implication")
        for c in one["resource"]["component"]
        if c["code"]["coding"][0]["code"] == "51963-7"
    }
    assert with_rows
    assert with_rows <= medicines
