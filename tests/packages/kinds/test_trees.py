"""A package of trees gives XGBoost's margins, keeps leaf values out of the public half, and refuses what cannot be."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fhirtwin.ckks import wire
from fhirtwin.ckks.circuits.trees import TOLERANCE
from fhirtwin.ckks.sealed import SealedFeatures, SealedScores
from fhirtwin.engine.evaluator import Evaluator
from fhirtwin.engine.models import Models
from fhirtwin.errors import EngineAnswerWrong, Incorrect
from fhirtwin.packages import package, published
from fhirtwin.packages.kind import part_digest
from fhirtwin.packages.package import Package
from fhirtwin.vault import Keyring, Shelf, asking
from tests.ckks.builders import random_panel
from tests.packages import lies
from tests.packages.builders import AUTHORS, BOOSTER, TREES, authors_file, packed_trees, resigned, trees_of

MMOL = 18.0156
KEYRING = Keyring(Shelf())


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Package:
    return packed_trees(tmp_path_factory.mktemp("trees")).package


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Package:
    return packed_trees(tmp_path_factory.mktemp("several"), stretched=12, version="2").package


def engine(folder: Path, *packages: Package) -> Evaluator:
    for one in packages:
        published.publish(one, folder / "models", with_weights=True)
    return Evaluator(random_panel(), models=Models(folder / "models", authors_file(folder / "authors.json")))


def features(row: np.ndarray) -> dict[str, float]:
    """A row of the booster (age, sbp, egfr, glucose in mmol/L, bmi), as the predictor prepares it."""
    return dict(zip(("age", "systolic-bp", "egfr", "glucose-mmol", "bmi"), row.tolist(), strict=True))


def test_sealed_margins_are_those_that_xgboost_gave_missing_values_among_them(tmp_path: Path, whole: Package) -> None:
    told = json.loads(BOOSTER.with_name("binary.margins.json").read_text())
    rows, margins = np.array(told["rows"], dtype=np.float64)[:40], np.array(told["margins"])[:40].reshape(-1)
    assert np.isnan(rows).any(axis=1).sum() > 5
    half = trees_of(package.of_files(package.public_half(whole.files), AUTHORS))
    asks, evaluator = asking(half, KEYRING), engine(tmp_path, whole)
    for row, margin in zip(rows, margins, strict=True):
        opened = asks.ask(half.given(features(row)), lambda sealed: evaluator.evaluate(sealed, wire.NO_KEYS))
        assert abs(float(opened["log-odds"]) - margin) < 0.0005 + TOLERANCE + 1e-5


def test_what_the_description_makes_of_values_reaches_the_leaves_that_xgboost_would_reach(whole: Package) -> None:
    model = trees_of(whole)
    values = {"age": 71, "systolic-bp": 150, "egfr": 50, "glucose": 6.1 * MMOL, "bmi": 31}
    prepared = model.predictor.prepare(values)  # type: ignore[arg-type]
    assert prepared["glucose-mmol"] == pytest.approx(6.1) and model.whole is not None
    without = model.predictor.prepare({name: value for name, value in values.items() if name != "glucose"})  # type: ignore[arg-type,misc]
    assert np.isnan(without["glucose-mmol"])  # so it goes the way that the trees say
    row = np.array([71, 150, 50, np.nan, 31])
    hot = np.concatenate(model.whole.splits.one_hot(row[None], model.whole.parts), axis=1)[0]
    assert np.array_equal(model.given(without), hot)


def test_the_public_half_has_the_splits_and_no_leaf_value(whole: Package) -> None:
    half = package.of_files(package.public_half(whole.files), AUTHORS)
    assert half.kind == "trees" and half.hash == whole.hash and not half.is_whole
    with pytest.raises(Incorrect, match="no weights here"):
        half.served()
    everything = b"".join(half.files.values())
    assert b"57.1" in everything  # a threshold
    found = trees_of(whole).whole
    assert found is not None
    for value in np.concatenate(found.values):
        assert np.float64(value).tobytes() not in everything
        for text in (repr(float(value)), str(np.float32(value))):
            assert text.lstrip("-").encode() not in everything


def test_many_trees_are_several_parts_each_bound_to_the_package(tmp_path: Path, several: Package) -> None:
    half = trees_of(package.of_files(package.public_half(several.files), AUTHORS))
    digests = [panel.digest for panel in half.public.panels]
    assert len(digests) > 1 and digests == [part_digest(several.hash, place) for place in range(len(digests))]
    assert digests[0] == several.hash and [part.digest for part in several.served()] == digests
    evaluator = engine(tmp_path, several)
    assert {evaluator.model_of(digest) for digest in digests} == {several.hash}
    asks = asking(half, KEYRING)
    for case in half.cases:
        opened = asks.ask(case.given, lambda sealed: evaluator.evaluate(sealed, wire.NO_KEYS))
        assert abs(float(opened["log-odds"]) - case.answers["log-odds"]) <= float(asks.most_off("log-odds"))
    assert asks.most_off("log-odds") > asking(trees_of(several), KEYRING).profile.step / 2 * len(digests)


def test_parts_in_another_order_are_refused(tmp_path: Path, several: Package) -> None:
    half, evaluator = trees_of(several), engine(tmp_path, several)
    digests = [panel.digest for panel in half.public.panels]

    def swapped(sealed: SealedFeatures) -> SealedScores:
        other = digests[1 - digests.index(sealed.panel_digest)] if sealed.panel_digest in digests[:2] else digests[0]
        moved = SealedFeatures(sealed.profile, other, sealed.request_id, sealed.sealed_vector)
        answer = evaluator.evaluate(moved, wire.NO_KEYS)
        return SealedScores(answer.profile, sealed.panel_digest, answer.request_id, answer.sealed_sums)

    with pytest.raises(EngineAnswerWrong):
        asking(half, KEYRING).ask(half.cases[0].given, swapped)


def _tree(member: str, place: int, to: object) -> Callable[[Any], object]:
    return lambda content: content["trees"][0][member].__setitem__(place, to)


WRONG: list[tuple[str, Callable[[Any], object], str]] = [
    ("splits.json", _tree("left", 0, 0), "tree 0: "),  # a loop
    ("splits.json", _tree("left", 1, 1), "tree 0: "),
    ("splits.json", _tree("right", 0, 1), "nobody's child, or two"),
    ("splits.json", _tree("left", 0, 4000), "tree 0: "),
    ("splits.json", _tree("left", 0, 2**40), "<= 4096"),
    ("splits.json", _tree("feature", 0, 5), "does not have"),
    ("splits.json", _tree("feature", 0, -1), "does not have"),
    ("splits.json", _tree("threshold", 0, 1e39), "3e"),
    ("splits.json", _tree("threshold", 0, "x"), "Expected `float`"),
    ("splits.json", lambda c: c["trees"][0]["threshold"].pop(), "as many of everything"),
    ("splits.json", lambda c: c["trees"][0].update(code="import os"), "unknown field"),
    ("splits.json", lambda c: c["trees"].pop(), "every tree once"),
    ("splits.json", lambda c: c.update(trees=[]), "length >= 1"),
    ("splits.json", lambda c: c["trees"][0].update(row=1), "splits.json"),
    ("public.json", lambda c: c["parts"][0]["trees"].pop(), "every tree once"),
    ("public.json", lambda c: c["parts"][0]["trees"].append(0), "every tree once"),
    ("public.json", lambda c: c["parts"][0]["trees"].append(10**12), "every tree once"),
    ("public.json", lambda c: c["parts"][0].update(least=-0.5), "bounds"),
    ("public.json", lambda c: c["parts"][0].update(greatest=0.25), "bounds"),
    ("public.json", lambda c: c["parts"][0].update(greatest=1000.0), "part could be more than"),
    ("public.json", lambda c: c.update(constants=[]), "constant for each row"),
    ("public.json", lambda c: c["constants"].__setitem__(0, 0.9), "do not add up|other sums"),
    ("public.json", lambda c: c["inputs"][0].update(high=1e9, low=-1e9), "splits|bounds"),
    ("golden.json", lambda c: c["cases"][0]["parts"].__setitem__(0, 0.1), "do not add up"),
    ("golden.json", lambda c: c["cases"][0].pop("parts"), "sum of each part"),
    ("golden.json", lambda c: c["cases"][0]["sums"].update({"log-odds": 0.0}), "other sums|does not come out"),
]


@pytest.mark.parametrize(("name", "change", "match"), WRONG)
def test_what_a_trusted_author_signed_and_cannot_be_is_refused(
    whole: Package, name: str, change: Callable[[Any], object], match: str
) -> None:
    with pytest.raises(Incorrect, match=match):
        package.of_files(lies.changed(whole.files, name, change), AUTHORS)


def test_parts_of_leaf_values_that_would_be_divided_otherwise_are_refused(several: Package) -> None:
    def joined(content: Any) -> None:
        first, second, *others = content["parts"]
        content["parts"] = [{**first, "trees": first["trees"] + second["trees"]}, *others]

    def parts(content: Any) -> None:
        for case in content["cases"]:
            first, second, *others = case["parts"]
            case["parts"] = [first + second, *others]

    files = lies.changed(several.files, "public.json", joined)
    with pytest.raises(Incorrect, match=r"not those that these leaf values have|bounds"):
        package.of_files(lies.changed(files, "golden.json", parts), AUTHORS)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), 1e300, 40.0])
def test_leaf_values_that_are_no_numbers_or_too_large_are_refused(whole: Package, number: float) -> None:
    data = whole.files["weights.safetensors"][:-8] + np.float64(number).tobytes()
    with pytest.raises(Incorrect):
        package.of_files(resigned(dict(whole.files) | {"weights.safetensors": data}), AUTHORS)


def test_a_tree_that_is_too_deep_and_too_many_trees_are_refused(whole: Package) -> None:
    def chain(content: Any) -> None:
        inner = 70
        left = [2 * place + 1 for place in range(inner)]
        order = [-1] * (2 * inner + 1)
        lefts, rights = order.copy(), order.copy()
        for place in range(inner):
            lefts[2 * place if place else 0], rights[2 * place if place else 0] = left[place], left[place] + 1
        count = len(lefts)
        content["trees"] = [
            {
                "row": 0,
                "left": lefts,
                "right": rights,
                "feature": [0] * count,
                "threshold": [1.0] * count,
                "missing_left": [False] * count,
            }
        ]

    with pytest.raises(Incorrect, match="deeper than 64"):
        package.of_files(lies.changed(whole.files, "splits.json", chain), AUTHORS)
    with pytest.raises(Incorrect, match="length <= 2000"):
        package.of_files(
            lies.changed(whole.files, "splits.json", lambda c: c.update(trees=c["trees"][:1] * 2001)), AUTHORS
        )


def _in_mg() -> list[dict[str, Any]]:
    """Features of which glucose is left in mg/dL, though the trees were trained on mmol/L."""
    features_ = json.loads((TREES / "model.json").read_text())["features"]
    return [one | {"product": [{"fact": "glucose"}]} if one["name"] == "glucose-mmol" else one for one in features_]


PACKING: list[tuple[dict[str, Any], str]] = [
    ({"columns": []}, "the trees have no column glucose-mmol; they have age, sbp"),
    ({"columns": ["age", "sbp", "egfr", "glucose"]}, "one for each feature"),
    ({"columns": ["age", "sbp", "egfr", "glucose", "age"]}, "no column twice"),
    ({"columns": ["age", "sbp", "egfr", "glucose", "weight"]}, "no column weight"),
    ({"rows": [{"name": "log-odds"}, {"name": "other"}]}, "one row"),
    ({"booster": lambda c: c["learner"]["objective"].update(name="reg:squarederror")}, "a risk needs log odds"),
    ({"columns": ["sbp", "age", "egfr", "glucose", "bmi"]}, "the sum of row log-odds does not come out"),
    ({"features": _in_mg()}, "the sum of row log-odds does not come out"),
    ({"stretched": 200}, "too large|off by"),
    ({"golden": {"cases": [{"name": "a", "values": {"age": 50}}]}}, "has no systolic-bp"),
]


@pytest.mark.parametrize(("changes", "match"), PACKING)
def test_what_cannot_be_packed_is_told_in_words(tmp_path: Path, changes: dict[str, Any], match: str) -> None:
    with pytest.raises(Incorrect, match=match):
        packed_trees(tmp_path, **changes)
    assert not (tmp_path / "out").exists()


def test_a_column_that_no_tree_splits_by_needs_no_feature_and_the_order_is_the_owners(tmp_path: Path) -> None:
    description = json.loads((TREES / "model.json").read_text())
    features_, columns = description["features"], description["columns"]
    turned = packed_trees(tmp_path / "a", features=features_[::-1], columns=columns[::-1]).package
    straight = packed_trees(tmp_path / "b").package
    for one, other in zip(turned.cases, straight.cases, strict=True):
        assert one.answers == pytest.approx(dict(other.answers))

    def three(content: Any) -> None:
        for tree in content["learner"]["gradient_booster"]["model"]["trees"]:
            tree["split_indices"] = [min(place, 2) for place in tree["split_indices"]]

    golden = json.loads((TREES / "golden.json").read_text())
    for case in golden["cases"]:
        case["values"] = {name: case["values"][name] for name in ("age", "systolic-bp", "egfr")}
        del case["sums"]
    changes = {"inputs": description["inputs"][:3], "outputs": [description["outputs"][0] | {"inputs": None}]}
    made = {"features": features_[:3], "columns": columns[:3], "golden": golden, **changes}
    fewer = packed_trees(tmp_path / "c", booster=three, **made).package
    assert len(fewer.cases) == 4
    with pytest.raises(Incorrect, match=r"split by column (glucose|bmi), of which no feature is made"):
        packed_trees(tmp_path / "d", **made)


def test_an_author_may_write_trees_of_several_rows_each_of_its_own_parts(tmp_path: Path, whole: Package) -> None:
    model = trees_of(whole).whole
    assert model is not None
    halves = (range(4), range(4, 8))
    middles = [[(model.values[tree].min() + model.values[tree].max()) / 2 for tree in half] for half in halves]
    hot = model.splits.one_hot(_rows(), halves)
    values = [
        np.concatenate([model.values[t] - (model.values[t].min() + model.values[t].max()) / 2 for t in half])
        for half in halves
    ]
    sums = np.stack([one @ value for one, value in zip(hot, values, strict=True)], axis=1)

    def public(content: Any) -> None:
        content["rows"].append({"name": "other"})
        content["constants"] = [float(sum(one)) for one in middles]
        (part,) = content["parts"]
        content["parts"] = [{**part, "trees": list(half)} for half in halves]
        content["outputs"].append({**content["outputs"][0], "id": "other-10y", "row": "other"})

    def golden(content: Any) -> None:
        for case, parts in zip(content["cases"], sums.tolist(), strict=True):
            margins = [part + float(sum(one)) for part, one in zip(parts, middles, strict=True)]
            odds = dict(zip(("nothing-10y", "other-10y"), margins, strict=True))
            case["parts"], case["sums"] = parts, dict(zip(("log-odds", "other"), margins, strict=True))
            case["percent"] = {name: 100 / (1 + np.exp(-margin)) for name, margin in odds.items()}

    def splits(content: Any) -> None:
        for tree in content["trees"][4:]:
            tree["row"] = 1

    files: Any = whole.files
    for name, change in (("public.json", public), ("golden.json", golden), ("splits.json", splits)):
        files = lies.changed(files, name, change)
    two = package.of_files(files, AUTHORS)
    evaluator, asks = engine(tmp_path, two), asking(two.model, KEYRING)
    for case in two.cases:
        opened = asks.ask(case.given, lambda sealed: evaluator.evaluate(sealed, wire.NO_KEYS))
        assert opened.keys() == case.answers.keys() == {"log-odds", "other"}
        for name, right in case.answers.items():
            assert abs(float(opened[name]) - right) <= float(asks.most_off(name)) < 0.001
    mixed = lies.changed(
        files, "public.json", lambda c: c["parts"].__setitem__(0, c["parts"][0] | {"trees": [0, 1, 2, 4]})
    )
    mixed = lies.changed(
        mixed, "public.json", lambda c: c["parts"].__setitem__(1, c["parts"][1] | {"trees": [3, 5, 6, 7]})
    )
    with pytest.raises(Incorrect, match="those of one row each"):
        package.of_files(mixed, AUTHORS)


def _rows() -> np.ndarray:
    """The golden cases as the booster takes them."""
    cases = json.loads((TREES / "golden.json").read_text())["cases"]
    facts = ("age", "systolic-bp", "egfr", "glucose", "bmi")
    rows = np.array([[case["values"][fact] for fact in facts] for case in cases], dtype=np.float64)
    rows[:, 3] /= MMOL
    return rows


def test_how_many_equations_the_golden_cases_give(whole: Package) -> None:
    model = trees_of(whole)
    leaves = sum(tree.leaves for tree in model.public.splits.trees)
    assert model.told == 4 and model.secrets == leaves - 8 + 1
