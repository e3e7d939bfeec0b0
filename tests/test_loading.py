"""The command line as a caller: which request each file becomes, and where a token may go."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
import requests
import responses
from responses import matchers

from fhirtwin import keyfile
from fhirtwin.errors import Incorrect, Unavailable
from fhirtwin.loading import Gateway, refuse_unclear

BASE = "http://127.0.0.1:8000/fhir"


@responses.activate
@pytest.mark.parametrize(
    ("resource", "method", "path"),
    [
        ({"resourceType": "Bundle", "type": "transaction"}, "POST", "/"),
        ({"resourceType": "Patient", "id": "a"}, "PUT", "/Patient/a"),
        ({"resourceType": "Patient"}, "POST", "/Patient"),
    ],
)
def test_each_kind_of_file_becomes_its_request(
    tmp_path: Path, resource: dict[str, str], method: str, path: str
) -> None:
    responses.add(method, BASE + path, status=201)
    file = tmp_path / "resource.json.gz"
    file.write_bytes(gzip.compress(json.dumps(resource).encode()))
    assert list(Gateway(BASE).load(file)) == []


@responses.activate
def test_ndjson_is_posted_line_by_line_and_problems_name_the_line(tmp_path: Path) -> None:
    responses.add("POST", f"{BASE}/Patient", status=201)
    refusal = {"resourceType": "OperationOutcome", "issue": [{"diagnostics": "no such type", "expression": ["X"]}]}
    responses.add("POST", f"{BASE}/Patent", status=404, json=refusal)
    file = tmp_path / "all.ndjson"
    file.write_text('{"resourceType":"Patient"}\n\n{"resourceType":"Patent"}\n{]\n')
    assert list(Gateway(BASE).load(file)) == ["line 3: X no such type", "line 4: is not JSON that can be read"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"hello", "is not JSON that can be read"),
        (b"[" * 100_000, "is not JSON that can be read"),
        (b"[]", "has no resourceType"),
        (b'{"resourceType":"../Patient"}', "has no resourceType"),
        (
            b'{"resourceType":"Bundle","type":"searchset","id":"a"}',
            "is a Bundle that is no transaction; send one, or its resources one by one or as NDJSON",
        ),
    ],
)
def test_what_is_no_resource_is_told_and_not_sent(tmp_path: Path, content: bytes, told: str) -> None:
    file = tmp_path / "x.json"
    file.write_bytes(content)
    assert list(Gateway("http://127.0.0.1:9/fhir").load(file)) == [told]


@responses.activate
@pytest.mark.parametrize("id_", ["..", "../Group/x", "a b", ""])
def test_an_id_that_would_lead_elsewhere_stays_out_of_the_address(tmp_path: Path, id_: str) -> None:
    refusal = {"resourceType": "OperationOutcome", "issue": [{"diagnostics": "no id", "expression": ["Patient.id"]}]}
    responses.add("POST", f"{BASE}/Patient", status=400, json=refusal)
    file = tmp_path / "x.json"
    file.write_text(json.dumps({"resourceType": "Patient", "id": id_}))
    assert list(Gateway(BASE).load(file)) == ["Patient.id no id"]


@responses.activate
def test_loading_tells_which_patients_were_stored(tmp_path: Path) -> None:
    made = [f"{BASE}/Patient/{number}/_history/1" for number in (1, 2)]
    other = f"{BASE}/Observation/3/_history/1"
    entries = [{"response": {"status": "201 Created", "location": location}} for location in (other, made[1])]
    responses.add("POST", f"{BASE}/Patient", status=201, headers={"Location": made[0]})
    responses.add("POST", f"{BASE}/", json={"resourceType": "Bundle", "entry": entries})
    file = tmp_path / "all.ndjson"
    file.write_text('{"resourceType":"Patient"}\n{"resourceType":"Bundle","type":"transaction"}\n')
    gateway = Gateway(BASE)
    assert list(gateway.load(file)) == []
    assert gateway.patients == ["Patient/1", "Patient/2"]


@responses.activate
def test_assess_takes_an_id_with_or_without_its_type_and_tells_what_is_no_fhir_server() -> None:
    responses.add("GET", f"{BASE}/Patient/1/$assess", json={"resourceType": "Bundle"})
    assert Gateway(BASE).assess("1", "", (), store=False) == Gateway(BASE).assess("Patient/1", "", (), store=False)
    responses.replace("GET", f"{BASE}/Patient/1/$assess", body="<html>")
    with pytest.raises(Incorrect, match="not as a FHIR server does"):
        Gateway(BASE).assess("1", "", (), store=False)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}"])
def test_a_half_written_note_of_a_running_gateway_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "running.json").write_text(text)
    with pytest.raises(Incorrect, match="No gateway runs"):
        Gateway.of(tmp_path)


def test_broken_gzip_is_told(tmp_path: Path) -> None:
    file = tmp_path / "x.json.gz"
    file.write_bytes(gzip.compress(b"{}" * 100)[:-9])
    assert [text.startswith("cannot be read") for text in Gateway(BASE).load(file)] == [True]


def test_without_a_running_gateway_the_remedy_is_named(tmp_path: Path) -> None:
    with pytest.raises(Incorrect, match="fhirtwin serve"):
        Gateway.of(tmp_path)


def test_token_travels_only_protected(tmp_path: Path) -> None:
    token = keyfile.make(tmp_path / "token")
    with pytest.raises(Incorrect, match="not https"):
        Gateway.of(tmp_path, "http://twin.example.org/fhir")
    for server in (BASE, "https://twin.example.org/fhir"):
        assert Gateway.of(tmp_path, server).http.headers["Authorization"] == f"Bearer {token}"


@responses.activate
def test_a_certificate_that_is_not_trusted_is_told_and_so_is_a_file_without_one(tmp_path: Path) -> None:
    responses.add("GET", "https://twin.example/fhir/metadata", body=requests.exceptions.SSLError())
    with pytest.raises(Unavailable, match="--ca-file"):
        Gateway("https://twin.example/fhir").call("GET", "/metadata")
    responses.replace("GET", "https://twin.example/fhir/metadata", body=OSError("no such bundle"))
    with pytest.raises(Unavailable, match="does not answer"):
        Gateway("https://twin.example/fhir", ca_file=str(tmp_path / "none")).call("GET", "/metadata")


def test_silence_of_the_server_is_told() -> None:
    with pytest.raises(Unavailable, match="is the gateway running"):
        Gateway("http://127.0.0.1:9/fhir").call("GET", "/metadata")


@responses.activate
def test_each_line_of_ndjson_moves_the_bar_by_its_share(tmp_path: Path) -> None:
    responses.add("POST", f"{BASE}/Patient", status=201)
    file = tmp_path / "all.ndjson"
    file.write_text('{"resourceType":"Patient"}\n' * 4)
    shares: list[float] = []
    assert list(Gateway(BASE).load(file, shares.append)) == []
    assert len(shares) == 4
    assert 0.9 < sum(shares) <= 1


def _text(name: str, value: str) -> dict[str, str]:
    return {"name": name, "valueString": value}


PARAMETERS = {
    "resourceType": "Parameters",
    "parameter": [
        {"name": "report", "valueReference": {"reference": "DiagnosticReport/r"}},
        {"name": "gene", "part": [_text("symbol", "CYP2C19"), _text("genotype", "CYP2C19 *1/*2")]},
        {"name": "gene", "part": [_text("symbol", "DPYD"), _text("not-called", "no rows")]},
    ],
}


@responses.activate
def test_vcf_is_sent_as_it_is_and_each_gene_is_told(tmp_path: Path) -> None:
    given = {"sample": "S1", "absent-is-reference": "true"}
    matching = [matchers.query_param_matcher(given), matchers.header_matcher({"Content-Type": "text/vcf"})]
    responses.add("POST", f"{BASE}/Patient/p/$import-vcf", json=PARAMETERS, match=matching)
    file = tmp_path / "genome.vcf.gz"
    file.write_bytes(b"packed")
    lines = Gateway(BASE).import_vcf(file, "Patient/p", {**given, "grch38": ""})
    assert lines == ["CYP2C19 *1/*2", "DPYD: no rows"]
    assert responses.calls[0].request.headers["Content-Length"] == "6"


@responses.activate
def test_refusal_of_a_vcf_is_told_in_its_words(tmp_path: Path) -> None:
    refusal = {"resourceType": "OperationOutcome", "issue": [{"diagnostics": "on GRCh37"}]}
    responses.add("POST", f"{BASE}/Patient/p/$import-vcf", status=422, json=refusal)
    file = tmp_path / "genome.vcf"
    file.write_bytes(b"x")
    with pytest.raises(Incorrect, match=r"422: +on GRCh37"):
        Gateway(BASE).import_vcf(file, "p", {})
    with pytest.raises(Incorrect, match="--patient"):
        Gateway(BASE).import_vcf(file, "../p", {})
    with pytest.raises(Incorrect, match="cannot be read"):
        Gateway(BASE).import_vcf(tmp_path / "none.vcf", "p", {})


def test_vcf_is_loaded_alone_and_for_somebody() -> None:
    one, other = Path("a.vcf"), Path("b.json")
    refuse_unclear((one,), "p")
    with pytest.raises(Incorrect, match="--patient"):
        refuse_unclear((one,), "")
    with pytest.raises(Incorrect, match="alone"):
        refuse_unclear((one, other), "p")
