"""A hundred calls, recorded: nothing of the key, of the features or of who they are of is on the way to the engine."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks import genotypes
from benchmarks.pgx_cards import request
from fhirtwin import __version__
from fhirtwin.assess_genes import SealedGenes
from fhirtwin.ckks import wire
from fhirtwin.ckks.sealed import SealedFeatures
from fhirtwin.ckks.sparse import Sparse
from fhirtwin.courier import Courier
from fhirtwin.pgx import functions, guideline, phenotype
from fhirtwin.pgx.warfarin import Person
from fhirtwin.predictors import registry
from fhirtwin.terms.drugs.ingredients import CODES
from fhirtwin.vault import Opening, Vault
from tests.api_cds.advice.test_anna_brandt import REQUEST
from tests.boundary.recording import Recording, texts, traces
from tests.ckks.builders import PLAINTEXT_HEADER
from tests.engine.process import running_engine
from tests.gateway_in_process import gateway

CALLS = 100


@pytest.mark.parametrize("mode", ["masked", "rotating"])
def test_recorded_traffic_holds_no_key_no_feature_and_no_name(tmp_path: Path, mode: str) -> None:
    panel = registry.panel(registry.all_predictors())
    vault = Vault(panel, mode=mode)
    draw = np.random.default_rng(11)
    numbers: set[float] = set()
    keys: set[bytes] = set()
    recording = Recording()
    with running_engine(tmp_path) as engine:
        socket_path = Path(engine.url.removeprefix("unix:"))
        with recording.between(tmp_path / "recorded.sock", socket_path) as url:
            courier = Courier(url, engine.key, timeout=5)
            for _ in range(CALLS):
                values = draw.uniform(panel.low, panel.high)
                features, opening = vault.seal(values)
                assert opening._ring is not None
                key = opening._ring._pyfhel.to_bytes_secret_key("none")
                keys.add(key[PLAINTEXT_HEADER:])
                numbers.update(map(float, values), map(float, values * vault._layout.gains))
                slots = opening._expected.slots  # with those of the probe
                numbers.update({*slots.real.tolist(), *slots.imag.tolist()})
                scores = vault.open(courier.evaluate(features), opening)
                numbers.update(float(value) for value in scores.values.values())
            courier.close()
    numbers = {number for number in numbers if number != round(number, 2)}
    assert len(keys) == (CALLS if mode == "masked" else 1)
    assert len(numbers) > 20 * CALLS

    up, down = bytes(recording.up), bytes(recording.down)
    assert up.count(b"POST " + wire.EVALUATE.encode()) == CALLS
    assert up.count(b"FTq2" + __version__.encode()) == CALLS
    assert traces(up, numbers=numbers, secrets=keys | {engine.key}) == []
    assert traces(down, numbers=numbers, secrets=keys | {engine.key}) == []
    names = [name.partition(":")[2].encode() for name in (*panel.features, *panel.rows)]
    assert [name for name in names if len(name) > 3 and name in up] == []
    per_call = (len(up) - len(features.evaluation_keys)) / CALLS
    assert per_call <= 66_000
    assert len(down) / CALLS <= 66_200  # the server's own headers, of fixed text, are in it


def test_recorded_lookups_hold_no_key_and_no_word_of_a_gene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers: set[float] = set()
    keys: set[bytes] = set()
    seal = Vault.seal

    def seal_and_tell(vault: Vault, values: NDArray[np.float64]) -> tuple[SealedFeatures, Opening]:
        features, opening = seal(vault, values)
        assert opening._ring is not None
        keys.add(opening._ring._pyfhel.to_bytes_secret_key("none")[PLAINTEXT_HEADER:])
        return features, opening

    expected = Sparse.expected_canaries

    def expect_and_tell(layout: Sparse, values: NDArray[np.float64], nonce: float) -> tuple[float, ...]:
        canaries = expected(layout, values, nonce)
        numbers.update((nonce, *canaries))
        return canaries

    monkeypatch.setattr(Vault, "seal", seal_and_tell)
    monkeypatch.setattr(Sparse, "expected_canaries", expect_and_tell)
    recording, draw, people = Recording(), genotypes.drawing(), 20
    words = {one.allele for alleles in functions.alleles().values() for one in alleles.values()}
    words |= {word for word, _ in functions.pairs().values()} | set(genotypes.genes()) | set(guideline.table())
    words = {word for word in words if len(word) >= 6}  # shorter ones stand in 24 MB of random bytes by chance
    with running_engine(tmp_path) as engine:
        socket_path = Path(engine.url.removeprefix("unix:"))
        with recording.between(tmp_path / "recorded.sock", socket_path) as url:
            courier = Courier(url, engine.key, timeout=5)
            genes = SealedGenes(courier.evaluate)
            for _ in range(people):
                genes.phenotypes(genotypes.unsure(draw))
                told = {call.gene: phenotype.of_call(call) for call in genotypes.sure(draw)}
                genes.advise(["amitriptyline", "codeine"], told, genotypes.alleles(draw))
                genes.warfarin(Person(65, 170.5, 70.5, "-1639 AG", "*1/*3", "Asian"))
            courier.close()
    up, down = bytes(recording.up), bytes(recording.down)
    calls = people * (1 + 4 + 4)
    assert up.count(b"POST " + wire.EVALUATE.encode()) == calls == len(keys)
    assert len(numbers) > 20 * calls
    assert traces(up, numbers=numbers, secrets=keys | {engine.key}) == []
    assert traces(down, numbers=numbers, secrets=keys | {engine.key}) == []
    assert texts(up + down, words) == []
    assert len(up) % calls == 0, "every message has the same length"


def test_recorded_cards_hold_no_word_of_a_gene_or_of_a_medicine(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    twin = gateway(folder, genes="sealed")
    recording, answers = Recording(), []
    with running_engine(tmp_path) as engine:
        socket_path = Path(engine.url.removeprefix("unix:"))
        with recording.between(tmp_path / "recorded.sock", socket_path) as url:
            courier = Courier(url, engine.key, timeout=5)
            twin.courier.way = courier.evaluate
            for sent in (REQUEST, *(json.loads(request(number)) for number in range(3))):
                answer = twin.http.post("/cds-services/twin-order-sign", json=sent)
                answers += [card for card in answer.json["cards"] if "GEN" in str(card["source"])]
            courier.close()
    twin.parts.store.close()
    up, down = bytes(recording.up), bytes(recording.down)
    assert len(answers) > 12
    assert up.count(b"POST " + wire.EVALUATE.encode()) == 4 * 5
    assert len(up) % (4 * 5) == 0, "every message has the same length"
    words = {one.allele for alleles in functions.alleles().values() for one in alleles.values()}
    words |= {word for word, _ in functions.pairs().values()} | set(genotypes.genes()) | set(guideline.table())
    words |= set(CODES) | {str(card["summary"]) for card in answers} | {"Anna", "Brandt"}
    assert texts(up + down, {word for word in words if len(word) >= 6}) == []


@pytest.mark.parametrize(
    "form", [struct.pack("<d", 1.2345), struct.pack(">d", 1.2345), b"1.2345", b"1.234500", b"a secret of 24 bytes, ok"]
)
@pytest.mark.parametrize("place", range(9))
def test_the_search_finds_what_it_is_to_find(form: bytes, place: int) -> None:
    hidden = bytes(place) + form + bytes(30)
    assert traces(hidden, numbers=[1.2345], secrets=[b"a secret of 24 bytes, ok"])
    assert traces(hidden[:place] + bytes(60), numbers=[1.2345], secrets=[b"a secret of 24 bytes, ok"]) == []
