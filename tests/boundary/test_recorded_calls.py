"""A hundred hook calls through a real gateway and a real engine, recorded between them: nothing of anybody is there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from fhirtwin import __version__
from fhirtwin.ckks import wire
from fhirtwin.predictors import registry
from tests.boundary.recording import Recording, doubles, texts, traces
from tests.ckks.builders import PLAINTEXT_HEADER
from tests.engine.process import running_engine
from tests.roads.gateway import Running, maria, ready, running

CALLS = 100

WITNESS = '''
"""Test only: in the gateway, each secret key that is made and each vector that is sealed goes to a file as well."""
import os, uuid
import numpy as np
from fhirtwin.ckks.context import Ring
from fhirtwin.vault import Vault

make_keys, seal = Ring.make_keys, Vault.seal

def write(kind, data):
    with open(f"{os.environ['WITNESS_FOLDER']}/{uuid.uuid4()}.{kind}", "wb") as file:
        file.write(data)

def make_and_tell(self):
    make_keys(self)
    write("key", bytes(self._pyfhel.to_bytes_secret_key("none")))

def seal_and_tell(self, values):
    features, opening = seal(self, values)
    slots = opening._expected.slots  # with those of the probe
    numbers = [*values, *(values * self._layout.gains), *slots.real, *slots.imag]
    numbers = sorted({float(number) for number in numbers})
    write("numbers", np.array(numbers, dtype="<f8").tobytes())
    return features, opening

Ring.make_keys, Vault.seal = make_and_tell, seal_and_tell
'''


def person(number: int) -> tuple[str, list[str]]:
    """A record with a name, a birth date and results of its own, and the texts by which the person could be known."""
    born = f"19{56 + number % 20}-{1 + number % 12:02}-{10 + number % 18}"
    told = [f"Kellermeister{number:03}", f"Mariannegret{number:03}", f"MRN-9f31c{number:03}", born]
    record = json.loads(maria())
    for entry in record["entry"]:
        resource = entry["resource"]
        if resource["resourceType"] == "Patient":
            resource["name"] = [{"family": told[0], "given": [told[1]]}]
            resource["identifier"][0]["value"], resource["birthDate"] = told[2], born
        for holder in (resource, *resource.get("component", ())):
            quantity = holder.get("valueQuantity", {})
            if "value" in quantity:
                quantity["value"] = round(quantity["value"] * (1 + number * 0.0007), 4)
    return json.dumps(record), [*told, born.replace("-", "")]


def call(gateway: Running, number: int) -> list[str]:
    """Have one more person's chart opened; everything by which they could be known."""
    record, known = person(number)
    patient = gateway.post_record(record)
    prefetch = gateway.prefetch(patient)
    answer = gateway.call(patient, prefetch)
    assert answer.status_code == 200, answer.text
    assert "RiskAssessment/" in answer.text
    return [*known, patient, *_ids(prefetch), *_ids(answer.json())]


def _ids(node: Any) -> list[str]:
    """Ids and UUIDs anywhere in it."""
    if isinstance(node, list):
        return [found for child in node for found in _ids(child)]
    if not isinstance(node, dict):
        return []
    here = [node[name] for name in ("id", "uuid") if isinstance(node.get(name), str)]
    return here + [found for child in node.values() for found in _ids(child)]


def test_a_hundred_hook_calls_send_the_engine_no_key_no_feature_no_name_and_no_id(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(WITNESS)
    witness = {"PYTHONPATH": str(tmp_path), "WITNESS_FOLDER": str(tmp_path)}
    recording, known = Recording(), {"Practitioner/p1", "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"}
    with running_engine(tmp_path) as engine:
        socket_path = Path(engine.url.removeprefix("unix:"))
        with recording.between(tmp_path / "recorded.sock", socket_path) as url:
            options = ("--open", "--engine", url, "--engine-key", str(engine.key_file))
            with running(tmp_path / "data", *options, env=witness) as gateway:
                ready(gateway)
                for number in range(CALLS):
                    known.update(call(gateway, number))
    up, down = bytes(recording.up), bytes(recording.down)
    assert up.count(b"POST " + wire.EVALUATE.encode()) == CALLS
    assert up.count(b"FTq2" + __version__.encode()) == CALLS
    assert down.count(b"FTs2" + __version__.encode()) == CALLS

    keys = {file.read_bytes()[PLAINTEXT_HEADER:] for file in tmp_path.glob("*.key")}
    sealed = [np.frombuffer(file.read_bytes(), dtype="<f8").tolist() for file in tmp_path.glob("*.numbers")]
    features = len(registry.panel(registry.all_predictors()).features)
    assert len(keys) >= CALLS
    assert len(sealed) == CALLS
    numbers = {number for one in sealed for number in one}
    assert len(numbers) > features * 10, "the people differ"
    # By chance a text of eight bytes is in so many random ones once in a million runs.
    known = {text for text in known if len(text) >= 8}
    assert len(known) > 20 * CALLS

    for name, sent in (("to the engine", up), ("from the engine", down)):
        assert traces(sent, numbers=[n for n in numbers if n != round(n, 3)], secrets=keys | {engine.key}) == [], name
        assert doubles(sent, numbers) == 0, name
        assert texts(sent, known) == [], name


def test_the_search_for_texts_finds_them_in_any_case_and_uuids_also_as_bytes() -> None:
    uuid = "0b5d3a52-7a0f-4c0e-9c39-0d9a3e5a1f77"
    packed = bytes.fromhex(uuid.replace("-", ""))
    for hidden in (b"..kellermeister007..", b"KELLERMEISTER007", uuid.encode(), uuid.upper().encode(), packed):
        assert len(texts(b"\x00" + hidden, {"Kellermeister007", uuid})) == 1
    assert texts(bytes(100), {"Kellermeister007", uuid}) == []
