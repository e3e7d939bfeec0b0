"""The commands that lead from a VCF to a card do what their page says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask.testing import FlaskClient

from fhirtwin.fhir import codec
from tests.conftest import ROOT
from tests.gateway_in_process import gateway

PAGE = (ROOT / "docs" / "pgx" / "README.md").read_text()
COMMANDS = re.findall(r"```sh\n(curl .*?)```", PAGE, re.S)


def run(http: FlaskClient, command: str) -> Any:
    """Do what curl would, with a gateway in this process; an option that is not known here fails."""
    # shlex keeps the backslash that a shell takes from before a dollar sign.
    words = shlex.split(command.replace("\\\n", " ").replace("\\$", "$"))[1:]
    method, headers, data, url = "GET", {}, b"", ""
    while words:
        word = words.pop(0)
        if word == "-X":
            method = words.pop(0)
        elif word == "-H":
            name, _, value = words.pop(0).partition(": ")
            headers[name] = value
        elif word in ("-d", "--data-binary"):
            given = words.pop(0)
            data = (ROOT / given[1:]).read_bytes() if given.startswith("@") else given.encode()
        else:
            assert not word.startswith("-")
            url = word
    parts = urlsplit(url)
    assert f"{parts.scheme}://{parts.netloc}" == "http://127.0.0.1:8000"
    answer = http.open(f"{parts.path}?{parts.query}", method=method, headers=headers, data=data)
    assert answer.status_code in (200, 201), answer.text
    return codec.decode(answer.data)


def test_five_steps_lead_from_a_vcf_to_a_card(tmp_path: Path) -> None:
    twin = gateway(tmp_path)
    written, imported, report, signed = (run(twin.http, command) for command in COMMANDS)
    twin.parts.store.close()
    assert written["gender"] == "female"
    genes = {
        part["valueString"] for one in imported["parameter"] for part in one.get("part", ()) if "valueString" in part
    }
    for said in re.findall(r"`(CYP\w+ \*\d/\*\d)`", PAGE):
        gene, _, alleles = said.partition(" ")
        assert {gene, alleles} <= genes or said in genes
    (what,) = re.findall(r"among the Tasks of the report is \*(.*?)\*", PAGE)
    tasks = [entry["resource"] for entry in report["entry"] if entry["resource"]["resourceType"] == "Task"]
    assert what in [task["code"]["text"] for task in tasks]
    (summary,) = re.findall(r"The card: \*(.*?)\*\.", PAGE, re.S)
    (card,) = [one for one in signed["cards"] if one["source"].get("topic", {}).get("code") == "GEN"]
    assert card["summary"] == " ".join(summary.split())
    assert len(card["suggestions"]) >= 1
