"""$import-vcf at the door: what is stored and told, and what is refused with its reason."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from fhirtwin.api.fhir import files as door
from fhirtwin.fhir import codec
from fhirtwin.fhir.validator import validate
from fhirtwin.interactions.context import Services
from fhirtwin.pgx import naming
from fhirtwin.pgx.calling import Rules, call_gene
from fhirtwin.pgx.defined import genes as genes_defined
from fhirtwin.pgx.vcf import read_vcf
from fhirtwin.report.genomics import imported
from fhirtwin.twin import genome
from fhirtwin.twin.genomics.possible import possible
from fhirtwin.twin.state import LOCAL, PatientKey
from tests import parts
from tests.parts import body, patient
from tests.pgx import files
from tests.pgx.test_recorded_cases import _cases as recorded

Json = dict[str, Any]
JSON = {"Content-Type": "application/fhir+json"}
HEAD = "##fileformat=VCFv4.2\n##reference=GRCh38\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{samples}\n"
STAR_TWO = "chr10\t94781859\t.\tG\tA\t.\tPASS\t.\tGT\t{call}\n"
OTHERS = "chr10\t94842866\t.\tA\tG\t.\tPASS\t.\tGT\t{ref}\nchr10\t94775367\t.\tA\tG\t.\tPASS\t.\tGT\t{call}\n"
ACTIVE = "chrX\t154534419\t.\tG\tA\t.\tPASS\t.\tGT\t{call}\n"


def vcf(call: str = "0/1", samples: str = "S1", more: str = "", head: str = HEAD) -> bytes:
    names = samples.split(",")
    row = (STAR_TWO + OTHERS).format(call="\t".join([call] * len(names)), ref="\t".join(["1/1"] * len(names)))
    return (head.format(samples="\t".join(names)) + row + more).encode()


@pytest.fixture
def services(tmp_path: Path, database_url: str) -> Iterator[Services]:
    made = parts.services(tmp_path, database_url=database_url, max_file_bytes=50_000)
    yield made
    made.store.close()


@pytest.fixture
def client(services: Services) -> FlaskClient:
    made = parts.application(services).test_client()
    here = patient(id="p", gender="female", identifier=[{"system": "http://h.test/mrn", "value": "MRN7"}])
    assert made.put("/fhir/Patient/p", data=body(here), headers=JSON).status_code == 201
    return made


def send(client: FlaskClient, data: bytes, query: str = "sample=S1", type_: str = "text/vcf", **headers: str) -> Any:
    return client.post(f"/fhir/Patient/p/$import-vcf?{query}", data=data, headers={"Content-Type": type_, **headers})


def genes(answer: Any) -> dict[str, Json]:
    assert answer.status_code == 200, answer.text
    parameters = codec.decode(answer.data)
    assert validate(parameters, type="Parameters") == []
    found = [one["part"] for one in parameters["parameter"] if one["name"] == "gene"]
    return {
        part[0]["valueString"]: {one["name"]: one.get("valueString") or one.get("valueReference") for one in part}
        for part in found
    }


def refused(answer: Any, status: int) -> str:
    assert answer.status_code == status, answer.text
    outcome = codec.decode(answer.data)
    assert outcome["resourceType"] == "OperationOutcome"
    return str(outcome["issue"][0].get("diagnostics") or outcome["issue"][0]["details"]["text"])


def results(services: Services) -> dict[str, genome.GeneResult]:
    with services.store.snapshot() as reader:
        state = reader.twin(PatientKey(LOCAL, "p"))
    assert state is not None
    return genome.of(state)


def search(client: FlaskClient, type_: str) -> list[Json]:
    bundle = codec.decode(client.get(f"/fhir/{type_}?patient=Patient/p&_count=100").data)
    return [one["resource"] for one in bundle.get("entry", [])]


@pytest.mark.parametrize(
    ("data", "type_", "headers"),
    [
        (vcf(), "text/vcf", {}),
        (gzip.compress(vcf()), "text/vcf", {}),
        (gzip.compress(vcf()), "text/vcf", {"Content-Encoding": "gzip"}),
        (gzip.compress(vcf()), "application/gzip", {}),
    ],
)
def test_file_is_called_stored_and_in_the_twin(
    client: FlaskClient, services: Services, data: bytes, type_: str, headers: dict[str, str]
) -> None:
    told = genes(send(client, data, type_=type_, **headers))
    assert told["CYP2C19"]["genotype"] == "CYP2C19 *1/*2"
    assert "shows none of its positions" in told["DPYD"]["not-called"]
    assert "not called from single variants" in told["CYP2D6"]["not-called"]
    kept = {one["component"][0]["valueCodeableConcept"]["text"]: one for one in search(client, "Observation")}
    assert set(kept) == set(told) and len(kept) == 20
    one = kept["CYP2C19"]
    assert told["CYP2C19"]["observation"] == {"reference": f"Observation/{one['id']}"}
    assert one["note"][0]["text"].startswith("32 of 35 positions were not tested; not excluded: *3; ")
    (report,) = search(client, "DiagnosticReport")
    assert len(report["result"]) == 20 and "CYP2C19 *1/*2" in report["conclusion"]
    found = results(services)
    assert [str(pair) for pair in found["CYP2C19"].known.diplotypes] == ["*1/*2"]
    assert found["CYP2C19"].known.source == "VCF" and "32 of 35" in found["CYP2C19"].known.remarks[0]
    assert "DPYD" not in found and "CYP2D6" not in found
    assert kept["DPYD"]["dataAbsentReason"]["coding"][0]["code"] == "not-performed"


def test_one_harmless_position_of_dpyd_tells_nothing_of_the_others(client: FlaskClient, services: Services) -> None:
    row = "chr1\t97883329\t.\tA\tG\t.\tPASS\t.\tGT\t0/0\n"
    assert genes(send(client, vcf(more=row)))["DPYD"]["genotype"] == "DPYD Reference/Reference"
    told = genome.phenotypes(results(services))["DPYD"]
    assert told.alternatives == () and "82 of 83 positions were not tested" in told.not_called
    asked = client.get("/fhir/$find-subject-specific-haplotypes?subject=p&haplotypes=DPYD *2A,DPYD c.85T>C")
    parts_of = [one["part"][1] for one in codec.decode(asked.data)["parameter"] if one["name"] == "haplotypes"]
    assert "valueBoolean" not in parts_of[0] and parts_of[1]["valueBoolean"] is False
    report = codec.decode(client.get("/fhir/Patient/p/$pharmacogenomic-report?drug=capecitabine").data)
    conclusion = report["entry"][0]["resource"]["conclusion"]
    assert "DPYD: 82 of 83 positions were not tested; not excluded: c." in conclusion
    assert "capecitabine: DPYD: not known, because 82 of 83 positions were not tested" in conclusion
    assert "Normal Metabolizer" not in str(report)


def test_outside_calls_stand_beside_the_file(client: FlaskClient, services: Services) -> None:
    calls = "CYP2D6%09*1/*4%0AHLA-B%09*57:01/*08:01%0ATPMT%09%09Poor Metabolizer%0ANUDT15%09%09odd"
    told = genes(send(client, vcf(), f"sample=S1&outside-calls={calls}"))
    assert told["CYP2D6"]["genotype"] == "CYP2D6 *1/*4"
    assert "none of the words" in told["NUDT15"]["not-called"]
    found = results(services)
    assert genome.allele_statuses(found)["HLA-B"]["*57:01"] == "positive"
    agreed = genome.phenotypes(found)["TPMT"].agreed
    assert agreed and agreed.word == "Poor Metabolizer"


def test_outside_call_that_contradicts_the_file_is_not_called_unless_it_shall_prevail(client: FlaskClient) -> None:
    query = "sample=S1&outside-calls=CYP2C19%09*1/*17"
    why = genes(send(client, vcf(), query))["CYP2C19"]["not-called"]
    assert "*1/*17" in why and "*1/*2" in why and "contradict" in why
    prevails = genes(send(client, vcf(), f"{query}&outside-prevails=true"))
    assert prevails["CYP2C19"]["genotype"] == "CYP2C19 *1/*17"


def test_file_without_genotypes_leaves_what_an_earlier_one_gave(client: FlaskClient, services: Services) -> None:
    send(client, vcf())
    refused(send(client, vcf().replace(b"\tGT\t", b"\tDP\t")), 400)
    assert [str(pair) for pair in results(services)["CYP2C19"].known.diplotypes] == ["*1/*2"]


@pytest.mark.parametrize(("one", "two"), [("1/1", "0/0"), ("0/0", "1/1"), ("0/1", "1/1"), ("0/1", "0/0")])
def test_rows_that_count_one_change_differently_contradict_one_another(client: FlaskClient, one: str, two: str) -> None:
    data = HEAD.format(samples="S1") + STAR_TWO.format(call=one) + STAR_TWO.format(call=two)
    assert "rows of the VCF contradict" in genes(send(client, data.encode()))["CYP2C19"]["not-called"]
    twice = HEAD.format(samples="S1") + STAR_TWO.format(call=one) * 2
    assert "contradict" not in str(genes(send(client, twice.encode()))["CYP2C19"])


def test_what_a_laboratory_says_otherwise_of_its_diplotype_stays_with_it(
    client: FlaskClient, services: Services
) -> None:
    genes(send(client, vcf(), "sample=S1&outside-calls=CYP2D6%09*1/*10%09Normal Metabolizer%091.5"))
    known = results(services)["CYP2D6"].known
    assert known.source == "outside call"
    assert known.remarks == ("the laboratory said Normal Metabolizer", "the laboratory said 1.5")


def test_diplotype_and_word_of_an_outside_call_that_contradict_are_stored_with_both(
    client: FlaskClient, services: Services
) -> None:
    told = genes(send(client, vcf(), "sample=S1&outside-calls=CYP2D6%09*1/*1%09Poor Metabolizer%090"))["CYP2D6"]
    assert "*1/*1 (Normal Metabolizer) and what the laboratory said, Poor Metabolizer" in told["not-called"]
    twin = services.store
    with twin.snapshot() as reader:
        state = reader.twin(PatientKey(LOCAL, "p"))
    assert state is not None
    may_be = possible("CYP2D6", [fact for fact in state.facts if fact.display == "CYP2D6"])
    assert {str(one.diplotypes[0]) if one.diplotypes else one.reported[0] for one in may_be} == {
        "*1/*1",
        "Poor Metabolizer",
        "0",
    }


def test_second_import_of_the_same_sample_is_the_next_version_of_the_first(
    client: FlaskClient, services: Services
) -> None:
    send(client, vcf(), "sample=S1&outside-calls=HLA-B%09*57:01/*08:01")
    first = {one["id"] for one in search(client, "Observation")}
    genes(send(client, vcf("1/1")))
    second = search(client, "Observation")
    assert len(first) == 21 and {one["id"] for one in second} < first and len(second) == 20
    assert {one["status"] for one in second} == {"corrected"}
    found = results(services)
    assert "HLA-B" not in found
    assert [str(pair) for pair in found["CYP2C19"].known.diplotypes] == ["*2/*2"]
    assert len(search(client, "DiagnosticReport")) == 1


def test_second_import_says_what_of_the_first_it_takes_away(client: FlaskClient) -> None:
    send(client, vcf(), "sample=S1&outside-calls=HLA-B%09*57:01/*08:01%0ACYP2D6%09*4/*4")
    told = genes(send(client, vcf()))
    assert "an earlier import of this sample had called this gene" in told["HLA-B"]["not-called"]
    assert "an earlier import of this sample had called this gene" in told["CYP2D6"]["note"]
    assert not any("earlier" in str(told[gene]) for gene in told.keys() - {"HLA-B", "CYP2D6"})
    assert "HLA-B" not in genes(send(client, vcf()))  # it is told once, by the import that does it


def test_two_samples_of_a_patient_that_contradict_leave_the_gene_uncalled(
    client: FlaskClient, services: Services
) -> None:
    send(client, vcf())
    send(client, vcf("1/1", "S2"), "sample=S2")
    assert "contradict" in results(services)["CYP2C19"].conflict


def test_dry_run_stores_nothing(client: FlaskClient) -> None:
    told = genes(send(client, vcf(), "sample=S1&dry-run=true"))
    assert told["CYP2C19"]["genotype"] == "CYP2C19 *1/*2" and "observation" not in told["CYP2C19"]
    assert search(client, "Observation") == []


def test_sample_is_taken_without_a_word_only_when_it_is_an_identifier_of_the_patient(client: FlaskClient) -> None:
    assert genes(send(client, vcf(samples="MRN7"), ""))["CYP2C19"]["genotype"] == "CYP2C19 *1/*2"
    assert genes(send(client, vcf(samples="X,MRN7"), ""))["CYP2C19"]["genotype"] == "CYP2C19 *1/*2"
    assert genes(send(client, vcf(samples="anybody"), "sample=*"))["CYP2C19"]["genotype"] == "CYP2C19 *1/*2"
    assert "anybody" not in refused(send(client, vcf(samples="anybody"), ""), 422)
    assert "2 samples" in refused(send(client, vcf(samples="A,B"), "sample=*"), 400)
    assert "No sample" in refused(send(client, vcf(samples="A,B"), "sample=C"), 400)
    refused(send(client, vcf(samples="A,B"), ""), 422)


def test_absent_positions_are_reference_only_by_the_callers_word(client: FlaskClient) -> None:
    assert "not-called" in genes(send(client, vcf("0/0"), "sample=S1"))["CYP2C9"]
    told = genes(send(client, vcf("0/0"), "sample=S1&absent-is-reference=true"))
    assert told["CYP2C9"]["genotype"] == "CYP2C9 *1/*1"
    (report,) = search(client, "DiagnosticReport")
    assert "By the word of who imported it, positions that the file does not show" in report["conclusion"]


def test_blocks_in_which_nobody_read_are_no_reference_whatever_their_genotype(client: FlaskClient) -> None:
    blocks = "".join(
        f"{name}\t{first}\t.\tA\t<NON_REF>\t.\t.\tEND={last}\tGT:DP:GQ:MIN_DP:PL\t0/0:0:0:0:0,0,0\n"
        for name, first, last in (("chr1", 97000000, 98500000), ("chr10", 94700000, 95100000))
    )
    told = genes(send(client, (HEAD.format(samples="S1") + blocks).encode(), "sample=S1&absent-is-reference=true"))
    for name in ("DPYD", "CYP2C9", "CYP2C19"):
        assert "nothing that the file shows of it can be used" in told[name]["not-called"]


def test_listed_variants_are_told_beside_the_two_that_are_looked_up(client: FlaskClient) -> None:
    rows = "chr1\t97450058\t.\tC\tT\t.\tPASS\t.\tGT\t0/1\nchr1\t97883329\t.\tA\tG\t.\tPASS\t.\tGT\t0/1\n"
    rows += "chr1\t97515787\t.\tA\tC\t.\tPASS\t.\tGT\t0/1\n"
    genes(send(client, vcf(more=rows)))
    (dpyd,) = [
        one
        for one in search(client, "Observation")
        if one.get("valueCodeableConcept", {}).get("text", "").startswith("DPYD")
    ]
    assert dpyd["note"][0]["text"].startswith("The file shows ") and "c.85T>C (*9A)" in dpyd["note"][0]["text"]
    assert "*9A" not in dpyd["valueCodeableConcept"]["text"]


def test_name_of_a_sample_that_cannot_be_kept_is_refused(client: FlaskClient) -> None:
    assert "no name that can be kept" in refused(send(client, vcf(samples="S" * 300), "sample=*"), 400)


def test_only_two_files_at_a_time_and_no_more_than_there_is_room_for(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = [door._inside.acquire(blocking=False) for _ in range(door.MOST)]
    assert all(held)
    assert "2 files" in refused(send(client, vcf()), 503)
    for _ in held:
        door._inside.release()

    class Full(BytesIO):
        def write(self, _data: Any) -> int:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(door, "TemporaryFile", lambda dir: Full())  # noqa: A006 (its name there)
    assert "no room" in refused(send(client, vcf()), 507)
    monkeypatch.undo()
    assert genes(send(client, vcf()))["CYP2C19"]["genotype"] == "CYP2C19 *1/*2"


def test_sex_of_the_patient_decides_on_g6pd(client: FlaskClient) -> None:
    row = ACTIVE.format(call="0/0")
    both = genes(send(client, vcf(more=row), "sample=S1&absent-is-reference=true"))["G6PD"]["genotype"]
    assert both == "G6PD B (reference)/B (reference)"
    assert client.put("/fhir/Patient/p", data=body(patient(id="p", gender="male")), headers=JSON).status_code == 200
    one = genes(send(client, vcf(more=row), "sample=S1&absent-is-reference=true"))["G6PD"]["genotype"]
    assert one == "G6PD B (reference)"


@pytest.mark.parametrize(
    ("data", "status", "why"),
    [
        (gzip.compress(vcf())[:-20], 400, "end too early"),
        (b"\x1f\x8b" + b"x" * 50, 400, "gzip"),
        (vcf(head=HEAD.replace("GRCh38", "GRCh37")), 422, "GRCh37"),
        (vcf(head=HEAD.replace("##reference=GRCh38\n", "")), 422, "genome build"),
        (vcf("x/y"), 400, "GT is no genotype"),
        (vcf("0/3"), 400, "does not have"),
        (vcf()[:-9], 400, "cut off"),
        (b"", 400, "Content-Length"),
        (b"##fileformat=VCFv4.2\n", 400, "no line `#CHROM`"),
        (b"not a vcf", 400, "VCF"),
        (vcf().replace(b"\tGT\t", b"\tDP\t").replace(b"0/1", b"31").replace(b"1/1", b"30"), 400, "genotype (GT)"),
        (vcf(more="#" * 60_000), 413, "FHIRTWIN_MAX_FILE_BYTES"),
    ],
)
def test_bad_file_is_refused_with_its_reason(client: FlaskClient, data: bytes, status: int, why: str) -> None:
    assert why in refused(send(client, data), status)
    assert search(client, "Observation") == []


@pytest.mark.parametrize(
    ("call", "why"),
    [("./.", "has no genotype"), (".", "has no genotype"), ("./1", "half calls")],
)  # fmt: skip
def test_missing_and_half_genotypes_leave_the_gene_uncalled(client: FlaskClient, call: str, why: str) -> None:
    data = HEAD.format(samples="S1") + STAR_TWO.format(call=call)
    assert why in str(genes(send(client, data.encode()))["CYP2C19"]), call


@pytest.mark.parametrize(
    ("calls", "why"),
    [
        ("CYP2C19%09*1/*999", "no allele of that name"),
        ("CYP2D6%09*999/*4", "no allele of that name"),
        ("CYP2D6%09*1/*999%2B*4", "no allele of that name"),
        ("NOGENE%09*1/*2", "no gene of that symbol"),
        ("CYP2D6", "parted by tabs"),
    ],
)
def test_outside_calls_that_cannot_be_read_are_refused(client: FlaskClient, calls: str, why: str) -> None:
    assert why in refused(send(client, vcf(), f"sample=S1&outside-calls={calls}"), 400)


def test_body_without_a_length_or_in_another_form_is_refused(client: FlaskClient) -> None:
    assert "too" not in refused(send(client, vcf(), type_="text/csv"), 415)
    assert "gzip" in refused(send(client, vcf(), **{"Content-Encoding": "br"}), 415)
    chunked = client.post(
        "/fhir/Patient/p/$import-vcf?sample=S1",
        input_stream=BytesIO(vcf()),
        headers={"Content-Type": "text/vcf", "Transfer-Encoding": "chunked"},
    )
    assert "Content-Length" in refused(chunked, 400)
    assert "Send a VCF file" in refused(client.post("/fhir/Patient/p/$import-vcf?sample=S1"), 400)


def document(data: bytes | None = None, url: str = "", subject: str = "Patient/p", **members: Any) -> Json:
    attachment: Json = {"contentType": "text/vcf"}
    attachment |= {"data": base64.b64encode(data).decode()} if data else {"url": url}
    base = {"resourceType": "DocumentReference", "id": "d", "status": "current", "subject": {"reference": subject}}
    return base | {"content": [{"attachment": attachment}]} | members


def of_document(client: FlaskClient, resource: Json, reference: str = "DocumentReference/d") -> Any:
    answer = client.put("/fhir/DocumentReference/d", data=body(resource), headers=JSON)
    assert answer.status_code in (200, 201), answer.text
    sent = [{"name": "document", "valueReference": {"reference": reference}}, {"name": "sample", "valueString": "S1"}]
    parameters = {"resourceType": "Parameters", "parameter": sent}
    return client.post("/fhir/Patient/p/$import-vcf", data=body(parameters), headers=JSON)


def test_file_of_a_document_inline_or_in_a_binary(client: FlaskClient) -> None:
    assert genes(of_document(client, document(gzip.compress(vcf()))))["CYP2C19"]["genotype"] == "CYP2C19 *1/*2"
    assert {"reference": "DocumentReference/d"} in search(client, "Observation")[0]["derivedFrom"]
    stored = client.post("/fhir/Binary", data=vcf("1/1"), headers={"Content-Type": "text/vcf"})
    where = stored.headers["Location"].split("/fhir/")[1].split("/_history")[0]
    assert genes(of_document(client, document(url=where)))["CYP2C19"]["genotype"] == "CYP2C19 *2/*2"


def test_document_of_another_patient_or_elsewhere_is_refused(client: FlaskClient) -> None:
    client.put("/fhir/Patient/q", data=body(patient(id="q")), headers=JSON)
    assert "not about this Patient" in refused(of_document(client, document(vcf(), subject="Patient/q")), 422)
    assert "not current" in refused(of_document(client, document(vcf(), status="entered-in-error")), 422)
    assert "of this server" in refused(of_document(client, document(url="https://x.test/Binary/1")), 400)
    two = [{"attachment": {"contentType": "text/vcf", "data": "eA=="}}] * 2
    assert "one VCF file" in refused(of_document(client, document(vcf(), content=two)), 422)
    assert "DocumentReference" in refused(of_document(client, document(vcf()), "Patient/p"), 400)
    refused(of_document(client, document(vcf()), "DocumentReference/none"), 404)


def test_patient_who_is_not_there_or_was_replaced(client: FlaskClient) -> None:
    refused(
        client.post("/fhir/Patient/none/$import-vcf?sample=S1", data=vcf(), headers={"Content-Type": "text/vcf"}), 404
    )
    replaced = patient(id="p", link=[{"other": {"reference": "Patient/q"}, "type": "replaced-by"}])
    client.put("/fhir/Patient/p", data=body(replaced), headers=JSON)
    assert "replaced" in refused(send(client, vcf()), 422)
    refused(client.get("/fhir/Patient/p/$import-vcf"), 405)


def test_recorded_cases_come_through_the_door_as_they_are_called(
    client: FlaskClient, services: Services, shared: Path
) -> None:
    plain = [one for one in recorded(shared, "vcf_to_diplotype") if "vcf" in one]
    assert len(plain) > 10
    for case in plain:
        data = files.vcf(case["vcf"])
        call = call_gene(genes_defined()[case["gene"]], read_vcf(BytesIO(data)), Rules(sex="female"))
        expected = imported.told(call)
        told = genes(send(client, data, "sample=S&dry-run=true"))[case["gene"]]
        if expected.diplotypes:
            assert told["genotype"] == f"{case['gene']} {naming.text(expected.diplotypes)}", case["id"]
        else:
            assert told["not-called"] == expected.not_called, case["id"]
        genes(send(client, data, "sample=S"))
        assert results(services)[case["gene"]].known.diplotypes == expected.diplotypes, case["id"]
