"""The cases that HL7 publishes for FHIRPath Patch, and those of RFC 6902 for JSON Patch."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

from fhirtwin.errors import FhirtwinError
from fhirtwin.fhir import codec
from fhirtwin.fhir.patch import fhirpath_patch, json_patch
from tests.fhir import fhir_xml

SPACE = fhir_xml.SPACE


def test_hl7s_cases_of_fhirpath_patch(shared: Path) -> None:
    wrong = []
    file = shared / "data/fhir/dev/patch/fhir-patch-tests.xml"
    cases = ElementTree.parse(file).getroot().findall(f"{SPACE}case")  # noqa: S314 - HL7's own file
    for case in cases:
        sent = {part: fhir_xml.resource(case.find(f"{SPACE}{part}/*")) for part in ("input", "diff")}
        expected = case.find(f"{SPACE}output/*")
        try:
            found = fhirpath_patch.apply(fhirpath_patch.parse(sent["diff"]), sent["input"])
        except FhirtwinError:
            found = None
        if found != (None if expected is None else fhir_xml.resource(expected)):
            wrong.append(case.attrib["name"])
    assert wrong == []
    assert len(cases) > 20


def test_the_cases_of_json_patch(shared: Path) -> None:
    wrong = []
    cases = json.loads((shared / "data/fhir/dev/patch/json-patch-tests.json").read_text())
    for case in cases:
        document = codec.decode(json.dumps(case["doc"]).encode())
        try:
            found = json_patch.apply(json_patch.parse(case["patch"]), document)
        except FhirtwinError:
            found = None
        if found != case.get("expected"):
            wrong.append(case["comment"])
    assert wrong == []
    assert len(cases) > 10
