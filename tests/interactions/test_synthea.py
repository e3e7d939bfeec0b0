"""Whole records of synthetic patients go in as they are."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path

from fhirtwin.access import OPEN
from fhirtwin.fhir import codec, references
from fhirtwin.interactions.transaction import transaction
from tests import parts


def test_every_record_loads_with_its_references_resolved_and_gives_a_twin(tmp_path: Path, shared: Path) -> None:
    services = parts.services(tmp_path)
    client = parts.application(services).test_client()
    sent: Counter[str] = Counter()
    for file in sorted((shared / "data/fhir/dev/synthea").glob("*.json.gz")):
        data = gzip.decompress(file.read_bytes())
        sent.update(entry["resource"]["resourceType"] for entry in json.loads(data)["entry"])
        answer = json.loads(transaction(services, OPEN, data).body)
        (who,) = (
            place.partition("/fhir/")[2].partition("/_history")[0]
            for entry in answer["entry"]
            if "/Patient/" in (place := entry["response"]["location"])
        )
        twin = client.get(f"/fhir/{who}/$twin")
        assert twin.status_code == 200
        assert len(twin.json["entry"]) > 2
        about = client.get(f"/fhir/Observation?patient={who}&_count=1000").json
        assert about["total"] == sum(
            entry["resource"]["resourceType"] == "Observation" for entry in json.loads(data)["entry"]
        )
        for found in about["entry"]:
            for _, text in references.walk(codec.decode(json.dumps(found["resource"]).encode())):
                assert references.parse(text).kind == "relative"
                assert client.get(f"/fhir/{text}").status_code == 200
    assert {type_: client.get(f"/fhir/{type_}?_count=0").json["total"] for type_ in sent} == sent
    assert sum(sent.values()) == 3198
    services.store.close()
