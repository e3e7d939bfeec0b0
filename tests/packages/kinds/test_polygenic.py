"""Packages of polygenic scores: what packing makes of a scoring file, and lies of an author that are refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fhirtwin.errors import Incorrect
from fhirtwin.packages import package, safetensors
from fhirtwin.packages.kinds.polygenic import PolygenicModel
from fhirtwin.packages.package import Package
from tests.packages import lies
from tests.packages.builders import AUTHORS, POLYGENIC, packed_polygenic, resigned
from tests.packages.reading import refuse_or_hold
from tests.polygenic.files import changed, scoring


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Package:
    return packed_polygenic(tmp_path_factory.mktemp("polygenic")).package


def model(found: Package) -> PolygenicModel:
    assert isinstance(found.model, PolygenicModel)
    return found.model


def scored(tmp_path: Path, rows: list[list[str]] | None = None, **header: Any) -> Path:
    path = tmp_path / "other.txt.gz"
    path.write_bytes(scoring(*([rows] if rows else []), packed=True, **header).read())
    return path


ONE_CASE = {"cases": [{"name": "two of all", "everywhere": 2}]}


def test_both_halves_have_one_circuit_bound_to_the_hash_and_only_one_has_weights(whole: Package) -> None:
    half = package.of_files(package.public_half(whole.files), AUTHORS)
    (circuit,) = whole.served()
    hidden = model(half).hidden()
    assert circuit.digest == hidden.digest == whole.hash == half.hash
    assert hidden.gain == circuit.gain and hidden.cost == circuit.cost
    np.testing.assert_array_equal(hidden.tags, circuit.tags)
    assert model(half).weights is None and not half.is_whole
    with pytest.raises(Incorrect, match="no weights here"):
        half.served()
    assert whole.predictor is None
    text = b"".join(package.public_half(whole.files).values()).decode()
    told = [f"{abs(weight):.4f}" for weight in model(whole).weights[0].tolist()]
    assert sum(one.removeprefix("0") in text for one in told) < 12  # by chance, in frequencies


def test_the_cases_come_out_as_the_scoring_file_says(whole: Package) -> None:
    rows = [line.split("\t") for line in (POLYGENIC / "scoring.txt").read_text().splitlines() if line[0] != "#"][1:]
    one, _drawn, some = whole.cases
    assert one.answers["illustration"] == pytest.approx(2 * sum(float(row[3]) for row in rows))
    assert some.answers["illustration"] == pytest.approx(2 * float(rows[0][3]))
    assert set(_drawn.given) == {0.0, 1.0, 2.0}


def test_an_answer_that_the_owner_gives_must_come_out(tmp_path: Path) -> None:
    right = {"cases": [{"name": "two of all", "everywhere": 2, "scores": {"illustration": 0.1032}}]}
    packed_polygenic(tmp_path / "right", golden=right)
    right["cases"][0]["scores"]["illustration"] = 0.1033  # type: ignore[index]
    with pytest.raises(Incorrect, match="score illustration does not come out"):
        packed_polygenic(tmp_path / "wrong", golden=right)


def test_variants_that_cannot_be_used_refuse_unless_the_description_lets_them_be_left_out(tmp_path: Path) -> None:
    path = scored(tmp_path, changed(0, other_allele="T"))
    with pytest.raises(Incorrect, match="1 of its 4 variants cannot be used: 1 alleles that read the same"):
        packed_polygenic(tmp_path / "refused", path, ONE_CASE)
    made = packed_polygenic(tmp_path / "left-out", path, ONE_CASE, most_left_out=0.25)
    assert model(made.package).public.left_out == {"alleles that read the same on both strands": 1}
    assert len(model(made.package).variants) == 3
    stated = packed_polygenic(tmp_path / "stated", path, ONE_CASE, on_forward_strand=True)
    assert len(model(stated.package).variants) == 4 and model(stated.package).public.on_forward_strand


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"id": ""}, "name the model by id|id"),
        ({"scores": []}, "scores"),
        ({"scores": [{"name": f"s{at}", "label": "s", "unit": "u"} for at in range(2)]}, "one score"),
        ({"source": "somewhere"}, "https://"),
        ({"most_missing": 0.9}, "most_missing"),
        ({"weights": [1]}, "unknown"),
    ],
)
def test_a_description_that_does_not_say_what_it_must_is_refused(tmp_path: Path, changes: Any, text: str) -> None:
    with pytest.raises(Incorrect, match=text):
        packed_polygenic(tmp_path, **changes)


def test_weights_that_could_overflow_or_be_off_are_refused(tmp_path: Path) -> None:
    for weight, text in (("99999", "overflow"), ("1000", "could be")):
        with pytest.raises(Incorrect, match=text):
            packed_polygenic(tmp_path / weight, scored(tmp_path, changed(0, effect_weight=weight)), ONE_CASE)


def _score(member: str, value: Any) -> Callable[[Any], object]:
    return lambda public: public["scores"][0].update({member: value})


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (_score("sum", 0.06), "sum"),
        (_score("sum", 1e9), "bounds"),
        (_score("most", 0.25), "bound"),
        (_score("most", 0), "bound"),
        (_score("most", 1e9), "overflow"),
        (_score("most", None), "sum or bound"),
        (lambda public: public["scores"][0].pop("sum"), "sum or bound"),
        (lambda public: public["scores"].append(public["scores"][0]), "weights.safetensors"),
        (lambda public: public.update(variants=119), "variants"),
        (lambda public: public.update(variants=10**9), "variants"),
        (lambda public: public.update(gain_bits=-10), "error|could be"),
        (lambda public: public.update(gain_bits=11), "gain_bits"),
        (lambda public: public.update(build="GRCh37"), "build"),
        (lambda public: public.pop("build"), "build"),
        (lambda public: public.update(title="<b>x</b>"), "title"),
        (lambda public: public.update(left_out={"x": -1}), "left_out"),
        (lambda public: public.update(more=1), "more"),
    ],
)
def test_a_public_half_that_lies_about_the_whole_is_refused(whole: Package, change: Any, text: str) -> None:
    with pytest.raises(Incorrect, match=text):
        package.of_files(lies.changed(whole.files, "public.json", change), AUTHORS)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda golden: golden["cases"][0]["scores"].update(illustration=0.06), "the weights give other scores"),
        (lambda golden: golden["cases"][0]["scores"].update(illustration=99), "leaves the bounds"),
        (lambda golden: golden["cases"][0]["scores"].update(other=0.06), "every score"),
        (lambda golden: golden["cases"][0].pop("scores"), "every score"),
        (lambda golden: golden["cases"][2]["dosages"].update({"1:1:A:G": 1}), "not among the variants"),
        (lambda golden: golden["cases"][0].update(everywhere=3), "everywhere"),
        (lambda golden: golden["cases"][0].update(everywhere=1), "tells nothing"),
        (lambda golden: golden["cases"][0].update(name="drawn"), "one name"),
        (lambda golden: golden.update(cases=[]), "cases"),
        (lambda golden: golden.update(cases=golden["cases"] * 9), "cases"),
    ],
)
def test_golden_cases_that_cannot_be_are_refused(whole: Package, change: Any, text: str) -> None:
    with pytest.raises(Incorrect, match=text):
        package.of_files(lies.changed(whole.files, "golden.json", change), AUTHORS)


@pytest.mark.parametrize("told", [99.0, -99.0])
def test_a_public_half_alone_refuses_answers_out_of_its_bounds(whole: Package, told: float) -> None:
    half = package.public_half(whole.files)
    files = lies.changed(half, "golden.json", lambda golden: golden["cases"][0]["scores"].update(illustration=told))
    with pytest.raises(Incorrect, match="leaves the bounds"):
        package.of_files(files, AUTHORS)


def test_weights_of_another_shape_or_that_are_none_are_refused(whole: Package) -> None:
    weights = model(whole).weights
    assert weights is not None
    for table in (weights[:, :-1], weights.T, np.vstack([weights, weights])):
        with pytest.raises(Incorrect, match=r"weights\.safetensors"):
            lies.read(whole.files, weights=safetensors.write(table))
    for place, number in ((0, np.nan), (1, np.inf), (2, 5.0), (3, 1e300)):
        table = weights.copy()
        table[0, place] = number
        with pytest.raises(Incorrect):
            lies.read(whole.files, weights=safetensors.write(table))
    with pytest.raises(Incorrect):
        lies.read(whole.files, weights=safetensors.write(np.zeros_like(weights)))


def test_variants_that_are_others_or_in_another_order_are_another_model_and_twice_are_refused(whole: Package) -> None:
    lines = whole.files["variants.tsv"].decode().splitlines(keepends=True)
    for wrong in (lines[::-1], [*lines, lines[-1]], [lines[0], *lines[:-1]], lines[:-1], ["x\n", *lines[1:]]):
        with pytest.raises(Incorrect, match=r"variants\.tsv"):
            lies.read(whole.files, variants="".join(wrong).encode())
    other = [*lines[:-1], lines[-1].replace("22\t", "22\t1")]
    found = lies.read(whole.files, variants="".join(other).encode())
    assert found.hash != whole.hash  # whoever signs that signs another model


def test_too_many_cases_for_so_many_variants_are_refused_before_they_are_made(
    whole: Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fhirtwin.packages.kinds.polygenic._MOST_DOSAGES", 359)
    with pytest.raises(Incorrect, match="2 cases at most"):
        package.of_files(whole.files, AUTHORS)


def test_five_hundred_damaged_packages_are_read_as_scores_or_refused_in_words(whole: Package) -> None:
    def sane(found: Package) -> None:
        assert np.isfinite(model(found).weights).all() and len(found.cases) <= 8  # type: ignore[arg-type]

    refuse_or_hold(whole.files, lies.damaged(whole.files, 500, 3), sane)


def test_another_kind_in_the_manifest_is_refused(whole: Package) -> None:
    for kind in ("panel", "trajectory", "nothing", "../x"):
        manifest = json.loads(whole.files["manifest.json"]) | {"kind": kind}
        files = dict(whole.files) | {"manifest.json": json.dumps(manifest).encode()}
        with pytest.raises(Incorrect):
            package.of_files(resigned(files), AUTHORS)


def test_a_genome_leaves_out_what_it_has_not_and_tells_the_reference_of_the_rest(tmp_path: Path) -> None:
    path = scored(tmp_path, changed(3, effect_allele="A", other_allele="G"))
    genome = {1: {1000: "A", 2000: "T"}, 2: {500: "C"}, 22: {70: "G"}}
    lines = [f">{name}\n{''.join(places.get(at, 'N') for at in range(1, 2001))}\n" for name, places in genome.items()]
    fasta = tmp_path / "genome.fa"
    fasta.write_text("".join(lines))
    with pytest.raises(Incorrect, match=r"1 of its 4 .*: 1 alleles of which the genome has neither"):
        packed_polygenic(tmp_path / "refused", path, ONE_CASE, fasta)
    found = model(packed_polygenic(tmp_path / "left-out", path, ONE_CASE, fasta, most_left_out=0.25).package)
    assert [one.reference for one in found.variants] == ["A", "T", "G"]
    assert found.weights is not None
    np.testing.assert_array_equal(found.weights, [[0.5, -0.25, 2.0]])
    fasta.write_text("".join(line.replace("A", "N").replace("T", "N").replace("G", "N") for line in lines))
    with pytest.raises(Incorrect, match="the build is not the same"):
        packed_polygenic(tmp_path / "other", path, ONE_CASE, fasta, most_left_out=0.5)
