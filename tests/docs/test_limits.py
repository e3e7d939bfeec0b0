"""The page about limits and the code say the same."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from fhirtwin import definitions, errors
from fhirtwin.api import admission
from fhirtwin.api.cds.advice import order_safety
from fhirtwin.api.fhir import files
from fhirtwin.fhir import json_faults
from fhirtwin.interactions.operations import import_vcf
from fhirtwin.interactions.transaction import MAX_ROUNDS
from fhirtwin.settings import Settings
from fhirtwin.store.databases import limits
from tests import parts
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "limits.md").read_text()
ROW = re.compile(
    r"^\| (?P<limit>[^|]+) \| (?:`(?P<setting>\w+)`)? \| (?:`(?P<default>[^`]+)`)? \| (?P<beyond>.+) \|$", re.M
)
ROWS = {row["setting"] or row["limit"]: row for row in ROW.finditer(PAGE)}
JSON = {"Content-Type": "application/fhir+json"}


def _is_limit(name: str) -> bool:
    return name.startswith("max_") and not name.startswith("max_age_")


@pytest.mark.parametrize("name", [f.name for f in fields(Settings) if _is_limit(f.name)])
def test_every_limit_that_can_be_set_has_its_row(name: str) -> None:
    assert f"FHIRTWIN_{name.upper()}" in ROWS


@pytest.mark.parametrize("setting", [name for name in ROWS if name.startswith("FHIRTWIN_")])
def test_the_defaults_are_those_of_the_code(setting: str) -> None:
    assert ROWS[setting]["default"] == str(getattr(Settings(), setting.removeprefix("FHIRTWIN_").lower()))


def test_what_is_fixed_is_as_the_page_says() -> None:
    assert ROWS["seconds that a writer waits for its turn"]["default"] == str(limits.BUSY_SECONDS)
    assert ROWS["draft orders of medicines that are judged in one CDS call"]["default"] == str(order_safety.MOST_DRAFTS)
    assert ROWS["such files that one gateway process holds at a time"]["default"] == str(files.MOST)
    assert f"`{import_vcf.UNPACKED * Settings().max_file_bytes}`" in PAGE
    row = ROWS["seconds of processor time of a transaction in which the profiles that its resources claim are judged"]
    assert row["default"] == f"{definitions.MAX_UNIT_SECONDS:g}"
    assert f"{admission.READING} that read and {admission.WRITING} that write" in PAGE
    assert f"{json_faults.MAX_DIGITS} significant digits and exponents to ±{json_faults.MAX_EXPONENT}" in PAGE
    assert f"{MAX_ROUNDS} links" in PAGE


@pytest.mark.parametrize(
    ("setting", "kind"),
    [
        ("FHIRTWIN_STATEMENT_TIMEOUT_SECONDS", errors.TooCostly),
        ("FHIRTWIN_MAX_CONCURRENT_REQUESTS", errors.Busy),
        ("room on the database's disk", errors.InsufficientStorage),
    ],
)
def test_what_other_tests_show_to_be_raised_is_answered_so(setting: str, kind: type[errors.FhirtwinError]) -> None:
    assert ROWS[setting]["beyond"].startswith(f"{kind.status} {kind.code}")


def _two() -> dict[str, Any]:
    return parts.transaction(*(parts.entry("POST", "Patient", parts.patient()) for _ in range(2)))


@pytest.mark.parametrize(
    ("name", "most", "sent"),
    [
        ("max_body_bytes", 100, parts.body(parts.patient(name=[{"text": "x" * 100}]))),
        ("max_depth", 3, parts.body(parts.patient(name=[{"given": ["x"]}]))),
        ("max_bundle_entries", 1, parts.body(_two())),
    ],
)
def test_one_more_is_answered_as_the_page_says(tmp_path: Path, name: str, most: int, sent: bytes) -> None:
    services = parts.services(tmp_path, **{name: most})
    path = "/fhir" if b"Bundle" in sent else "/fhir/Patient"
    answer = parts.application(services).test_client().post(path, data=sent, headers=JSON)
    services.store.close()
    assert answer.json is not None
    assert f"{answer.status_code} {answer.json['issue'][0]['code']}" == ROWS[f"FHIRTWIN_{name.upper()}"]["beyond"]


@pytest.mark.parametrize("path", ["/fhir/Patient", "/fhir/_history"])
def test_a_larger_page_than_may_be_is_refused(tmp_path: Path, path: str) -> None:
    services = parts.services(tmp_path, max_count=1)
    answer = parts.application(services).test_client().get(f"{path}?_count=2")
    services.store.close()
    assert answer.json is not None
    assert f"{answer.status_code} {answer.json['issue'][0]['code']}" == ROWS["FHIRTWIN_MAX_COUNT"]["beyond"]
