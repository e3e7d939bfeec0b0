"""Resources of every kind are stored, and every byte comes back."""

from __future__ import annotations

import json
from pathlib import Path

from fhirtwin.fhir import codec
from tests import parts

JSON = {"Content-Type": "application/fhir+json"}

REFUSED = {
    "AuditEvent-example-disclosure.json": 405,  # what happened is told by this server alone
    "AuditEvent-example-error.json": 405,
    "Consent-consent-example-Out.json": 422,  # opts out, which is not enforced here
    "DeviceMetric-example.json": 400,  # refers to a DeviceDefinition where R4 has Device
    "MedicationRequest-medrx0301.json": 400,  # refers to a Practitioner where R4 has Organization
    "Observation-clinical-gender.json": 400,  # names an Encounter as performer
    "Questionnaire-qs1.json": 400,  # lacks linkIds
}
"""Examples that are not stored, and the status they get: the defective ones among HL7's own, and one on purpose."""


def test_official_examples_come_back_byte_for_byte(tmp_path: Path, shared: Path) -> None:
    services = parts.services(tmp_path)
    client = parts.application(services).test_client()
    refused = {}
    unstamped = 0
    for file in sorted((shared / "data/fhir/dev/examples").glob("*.json")):
        sent = file.read_bytes()
        resource = codec.decode(sent)
        path = f"/fhir/{resource['resourceType']}/{resource['id']}"
        answer = client.put(path, data=sent, headers=JSON)
        if answer.status_code != 201:
            refused[file.name] = answer.status_code
            continue
        stored = client.get(path)
        assert stored.data == answer.data
        assert without_meta(stored.data) == without_meta(sent)
        if "meta" not in resource:
            unstamped += 1
            stamp = b',"meta":' + json.dumps(stored.json["meta"], separators=(",", ":")).encode()
            assert stored.data.replace(stamp, b"", 1) == sent
    services.store.close()
    assert refused == REFUSED
    assert unstamped > 50


def without_meta(data: bytes) -> list[tuple[str, object]]:
    """Members in their order, numbers as the text that was sent."""
    read = json.loads(data, parse_float=str, parse_int=str)
    return [(name, value) for name, value in read.items() if name != "meta"]
