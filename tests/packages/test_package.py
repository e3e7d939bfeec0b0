"""A package is exactly what a trusted author signed, or it is refused by name; and it means what it says."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from fhirtwin.errors import Incorrect
from fhirtwin.packages import package
from fhirtwin.packages.makers import maker
from fhirtwin.packages.package import Package
from fhirtwin.predictors.kidney.kfre import PREDICTOR as KFRE
from fhirtwin.predictors.score import plain_sums, probability
from fhirtwin.settings import Settings
from fhirtwin.testing.predictors import random_values, vector_of
from tests.packages import lies
from tests.packages.builders import AUTHORS, KEY, OTHER_KEY, description, packed, panel_of, resigned

OURS = Settings(kfre_region="non-north-american")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Package:
    return packed(tmp_path_factory.mktemp("kfre")).package


@pytest.fixture(scope="module")
def files(whole: Package) -> dict[str, bytes]:
    return dict(whole.files)


def test_the_packaged_equation_is_the_built_in_one(whole: Package) -> None:
    panel, random = panel_of(whole).panel(), Random(1)  # noqa: S311
    for _ in range(300):
        values = random_values(KFRE, random)
        built_in, packaged = vector_of(KFRE, values), vector_of(panel_of(whole).predictor, values)
        assert packaged.features == pytest.approx(dict(built_in.features), abs=1e-12)
        (row,) = panel.weights @ np.array([packaged.features[f.name] for f in whole.predictor.features])
        sums = plain_sums(built_in)
        for ours, theirs in zip(KFRE.outputs, whole.predictor.outputs, strict=True):
            right = probability(built_in, ours, sums[ours.row(values)], OURS)
            assert probability(packaged, theirs, row, OURS) == pytest.approx(right, abs=1e-12)


def test_the_hash_is_that_of_the_manifest_which_has_those_of_all_files(whole: Package, files: dict[str, bytes]) -> None:
    assert whole.hash == hashlib.sha256(files["manifest.json"]).hexdigest() == panel_of(whole).panel().digest
    listed = json.loads(files["manifest.json"])["files"]
    assert {name: entry["sha256"] for name, entry in listed.items()} == {
        name: hashlib.sha256(files[name]).hexdigest() for name in ("golden.json", "public.json", "weights.safetensors")
    }


def test_what_was_packed_before_there_were_several_kinds_is_packed_to_the_same_bytes_today(whole: Package) -> None:
    assert whole.kind == "panel"
    assert whole.hash == "d97853ee38ef281d50db75473ed8a5d1013efaf96824356a3760897be1cd7d64"


def _aged(age: float) -> dict[str, Any]:
    return {"cases": [CASE | {"values": CASE["values"] | {"age": age}}]}


def test_golden_cases_in_parts_of_years_are_not_packed_for_no_gateway_asks_so(tmp_path: Path) -> None:
    with pytest.raises(Incorrect, match=r"golden\.json: c: age takes completed years"):
        packed(tmp_path, golden=_aged(60.5))
    assert packed(tmp_path, golden=_aged(60.0)).package.cases[0].name == "c"


def test_a_package_that_was_packed_with_golden_cases_in_parts_of_years_is_still_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maker, "_refuse_part_of_year", lambda _case, _golden: None)
    made = packed(tmp_path, golden=_aged(60.5))
    assert package.read(made.whole, AUTHORS).hash == package.read(made.public, AUTHORS).hash


def _kept(keep: str | None) -> dict[str, Any]:
    inputs = [{name: told for name, told in one.items() if name != "keep"} for one in description()["inputs"]]
    for one in inputs[2:]:  # eGFR and uACR
        one.update({"keep": keep} if keep is not None else {})
    return {"inputs": inputs}


@pytest.mark.parametrize("keep", [None, ""])
def test_a_quantity_that_does_not_say_how_old_it_may_be_is_not_packed(tmp_path: Path, keep: str | None) -> None:
    with pytest.raises(
        Incorrect, match=r"inputs: egfr: say how old it may be: keep, one of lipids, .*results, .*\"any"
    ):
        packed(tmp_path, **_kept(keep))


@pytest.mark.parametrize(("keep", "known"), [("any", ""), ("results", "results")])
def test_how_old_a_quantity_may_be_is_a_setting_or_said_to_be_any_age(tmp_path: Path, keep: str, known: str) -> None:
    found = package.read(packed(tmp_path, **_kept(keep)).public, AUTHORS)
    assert found.predictor is not None
    assert [one.keep for one in found.predictor.inputs if one.fact in ("egfr", "uacr")] == [known, known]


def test_a_package_of_before_that_does_not_say_how_old_a_quantity_may_be_is_still_read(files: dict[str, bytes]) -> None:
    def without(content: Any) -> None:
        content["inputs"][2].pop("keep")

    found = package.of_files(lies.changed(files, "public.json", without), AUTHORS)
    assert found.predictor is not None and found.predictor.inputs[2].keep == ""


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"title": "a <b>"}, "words: without control characters, < > ` .*- at `[$].title`"),
        ({"id": "A b"}, "a name in small letters, .*- at `[$].id`"),
        ({"version": "1.x"}, "a version: .*- at `[$].version`"),
    ],
)
def test_a_text_that_is_refused_is_told_in_words_and_not_by_a_pattern(
    tmp_path: Path, changes: dict[str, Any], text: str
) -> None:
    with pytest.raises(Incorrect, match=text) as refused:
        packed(tmp_path, **changes)
    assert "regex" not in str(refused.value)


def test_a_kind_that_is_not_known_is_refused(files: dict[str, bytes]) -> None:
    with pytest.raises(Incorrect, match=r"manifest\.json: this version knows models of kind panel"):
        package.of_files(lies.changed(files, "manifest.json", _set("kind", to="oracle")), AUTHORS)


def test_the_public_half_has_no_weight_and_the_same_hash(tmp_path: Path) -> None:
    made = packed(tmp_path)
    half = package.read(made.public, AUTHORS)
    assert not half.is_whole and half.hash == made.package.hash and half.author == "kidney-group"
    assert half.predictor.rows == () and half.predictor.model_hash == half.hash
    with pytest.raises(Incorrect, match="no weights here"):
        half.served()
    everything = b"".join(half.files.values())
    for weight in ("0.2201", "0.2467", "0.5567", "0.451"):
        assert weight.encode() not in everything
    assert np.float64(-0.2201).tobytes() not in everything


def test_one_changed_byte_of_any_file_is_refused(files: dict[str, bytes]) -> None:
    random = Random(2)  # noqa: S311
    for name, data in files.items():
        for _ in range(60):
            place = random.randrange(len(data) - (1 if name == "manifest.sig" else 0))  # but its last, a line's end
            changed = bytearray(data)
            changed[place] ^= 1 << random.randrange(8)
            if name == "manifest.sig" and bytes(changed).decode("latin1").lower() == data.decode().lower():
                continue  # hex digits in capitals are the same signature
            with pytest.raises(Incorrect):
                package.of_files(files | {name: bytes(changed)}, AUTHORS)


def test_files_cut_short_or_made_longer_are_refused(files: dict[str, bytes]) -> None:
    for name, data in files.items():
        for changed in (b"", data[:-3], data + data):
            with pytest.raises(Incorrect):
                package.of_files(files | {name: changed}, AUTHORS)


def test_who_is_not_trusted_or_did_not_sign_is_refused_by_name(files: dict[str, bytes]) -> None:
    with pytest.raises(Incorrect, match="is not trusted here"):
        package.of_files(resigned(files, OTHER_KEY), AUTHORS)
    stolen = resigned(files, KEY)["manifest.json"]
    with pytest.raises(Incorrect, match="not the signature of the author"):
        package.of_files(
            files | {"manifest.json": stolen, "manifest.sig": OTHER_KEY.sign(stolen).hex().encode()}, AUTHORS
        )
    with pytest.raises(Incorrect, match="not the signature"):
        # A signature over the bare manifest: the label keeps signatures for other purposes from counting here.
        package.of_files(files | {"manifest.sig": KEY.sign(files["manifest.json"]).hex().encode()}, AUTHORS)
    with pytest.raises(Incorrect, match=r"manifest\.sig is missing"):
        package.of_files({name: data for name, data in files.items() if name != "manifest.sig"}, AUTHORS)
    with pytest.raises(Incorrect, match="is not trusted here"):
        package.of_files(files, {})


def _set(*path: str | int, to: object) -> Callable[[dict[str, object]], object]:
    def change(content: object) -> None:
        for step in path[:-1]:
            content = content[step]  # type: ignore[index]
        content[path[-1]] = to  # type: ignore[index]

    return change


SIGNED_AND_WRONG = [
    ("public.json", _set("inputs", 0, "fact", to="wealth"), "no fact of the twin"),
    ("public.json", _set("inputs", 0, "unit", to="mo"), "kept in a"),
    ("public.json", _set("inputs", 0, "low", to=None), "needs the range"),
    ("public.json", _set("inputs", 2, "keep", to="fridge"), "max_age_fridge_days"),
    ("public.json", _set("inputs", 2, "keep", to="data"), "max_age_data_days"),
    ("public.json", _set("inputs", 0, "low", to=-200), "leave the bounds"),
    ("public.json", _set("features", 0, "low", to=-1.0), "leave the bounds"),
    ("public.json", _set("features", 0, "low", to=1.0), "not centred|leave the bounds"),
    ("public.json", _set("features", 3, "product", 0, "minus", to=1e300), "<= 1000000000"),
    ("public.json", _set("features", 0, "product", 0, "over", to=0), "cannot be reckoned"),
    ("public.json", _set("inputs", 3, "low", to=0), "cannot be reckoned"),
    ("public.json", _set("features", 0, "product", 0, "fact", to="bmi"), "which is no input"),
    ("public.json", _set("features", 1, "name", to="age"), "two features"),
    ("public.json", _set("features", 1, "product", 0, "equals", to="man"), "cannot be reckoned"),
    ("public.json", _set("features", 0, "code", to="import os"), "unknown field"),
    ("public.json", _set("rows", 0, "least", to=0.0), "leave the bounds|outside the bounds"),
    ("public.json", _set("rows", 0, "greatest", to=1.0), "leaves? the bounds|outside the bounds"),
    ("public.json", _set("outputs", 0, "row", to="other"), "not among the rows"),
    ("public.json", _set("outputs", 0, "link", to={"kind": "survival"}), "needs the baseline"),
    ("public.json", _set("outputs", 0, "link", to={"kind": "logistic", "baseline": 0.5}), "has no baseline"),
    ("public.json", _set("outputs", 0, "link", "baseline", to=1.5), "< 1"),
    ("public.json", _set("outputs", 0, "constant", to=1), "does not come out"),
    ("public.json", _set("outputs", 0, "constant", to={"female": "a", "male": 1}), "must be numbers"),
    ("public.json", _set("outputs", 0, "inputs", to=["age", "sex"]), "says it does without"),
    ("public.json", _set("outputs", 0, "low_age_years", to=111), "for no age"),
    ("public.json", _set("rules", 0, "reason", to="<script>alert(1)</script>"), "at `\\$.rules"),
    ("public.json", _set("title", to="[click](https://evil.example)"), "at `\\$.title"),
    ("public.json", _set("title", to="two\nlines"), "at `\\$.title"),
    ("public.json", _set("source", to="a drawer"), "https"),
    ("public.json", lambda c: c["rules"].pop(0), "deceased"),  # type: ignore[attr-defined]
    ("golden.json", _set("cases", 0, "sums", "kidney-failure", to=3.0), "other sums|does not come out"),
    ("golden.json", _set("cases", 0, "percent", "kidney-failure-5y", to=12.0), "does not come out"),
    ("golden.json", _set("cases", 0, "values", "age", to=5), "out of its range"),
    ("golden.json", _set("cases", 0, "values", "age", to=True), "another kind"),
    ("golden.json", _set("cases", 0, "values", "sex", to="other"), "does not take"),
    ("golden.json", lambda c: c["cases"][0]["values"].pop("egfr"), "has no egfr"),  # type: ignore[index]
    ("golden.json", _set("cases", to=[]), "length >= 1"),
    ("golden.json", _set("cases", 1, "name", to="published patient at 57"), "one name"),
]


@pytest.mark.parametrize(("name", "change", "match"), SIGNED_AND_WRONG)
def test_what_a_trusted_author_signed_and_cannot_be_is_refused_all_the_same(
    files: dict[str, bytes], name: str, change: Callable[[dict[str, object]], object], match: str
) -> None:
    with pytest.raises(Incorrect, match=match):
        package.of_files(lies.changed(files, name, change), AUTHORS)


@pytest.mark.parametrize(
    "text",
    [
        b'{"cases": [], "cases": []}',
        b'{"cases": NaN}',
        b'{"cases": [1e999]}',
        b'{"cases": [' + b"9" * 5000 + b"]}",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"\xff\xfe",
        b"",
        b"null",
        b"\x80\x04\x95\x00.",  # a pickle
    ],
)
def test_json_that_is_none_or_too_much_is_refused(files: dict[str, bytes], text: bytes) -> None:
    for name in ("golden.json", "public.json", "manifest.json"):
        with pytest.raises(Incorrect, match=f"{name}|manifest.json"):
            package.of_files(
                resigned(files | {name: text}) if name != "manifest.json" else files | {name: text}, AUTHORS
            )


def test_weights_that_could_wrap_round_are_refused_at_packing_and_at_reading(
    tmp_path: Path, files: dict[str, bytes]
) -> None:
    table = "feature,kidney-failure\nage,-9.0\nmale,0.2467\negfr,-0.5567\nln-uacr,0.4510\n"
    with pytest.raises(Incorrect, match=r"16 is the most"):
        packed(tmp_path, weights=table)
    weights = np.frombuffer(files["weights.safetensors"][-32:]).copy()
    weights[0] = -9.0
    data = files["weights.safetensors"][:-32] + weights.tobytes()
    with pytest.raises(Incorrect):
        package.of_files(resigned(files | {"weights.safetensors": data}), AUTHORS)


def test_a_feature_that_drowns_the_others_in_noise_is_refused_at_packing(tmp_path: Path) -> None:
    features = description()["features"]
    features[3] = {"name": "uacr", "product": [{"fact": "uacr"}]}  # up to 25,000, and not scaled
    table = "feature,kidney-failure\nage,-0.2201\nmale,0.2467\negfr,-0.5567\nuacr,0.0001\n"
    with pytest.raises(Incorrect, match=r"could be off by .* bring its features to about 1"):
        packed(tmp_path, features=features, weights=table)
    features[3]["product"][0]["over"] = 5000
    packed(tmp_path, features=features, weights=table.replace("0.0001", "0.5"), golden={"cases": [CASE]})


CASE: dict[str, Any] = {"name": "c", "values": {"age": 60, "sex": "male", "egfr": 30, "uacr": 300}}


@pytest.mark.parametrize(
    ("header", "last", "match"),
    [
        ("feature,kidney-failure", "ln-uacr", "the line of ln-uacr does not have as many cells"),
        ("feature,kidney-failure", "ln-uacr,0.4510,1", "the line of ln-uacr does not have as many cells"),
        ("feature,kidney-failure,kidney-failure", "ln-uacr,1,0.4510", "it must have the columns feature, kidney-fail"),
    ],
)
def test_a_table_that_is_cut_off_or_has_a_column_twice_is_refused(
    tmp_path: Path, header: str, last: str, match: str
) -> None:
    table = f"{header}\nage,-0.2201\nmale,0.2467\negfr,-0.5567\n{last}\n"
    with pytest.raises(Incorrect, match=match):
        packed(tmp_path, weights=table, golden={"cases": [CASE]})


def test_an_empty_cell_of_a_table_is_no_weight(tmp_path: Path) -> None:
    table = "feature,kidney-failure\nage,-0.2201\nmale,\negfr,-0.5567\nln-uacr,0.4510\n"
    found = panel_of(packed(tmp_path, weights=table, golden={"cases": [CASE]}).package)
    assert found.weights is not None and found.weights.tolist() == [[-0.2201, 0.0, -0.5567, 0.451]]


def test_weights_that_are_no_numbers_are_refused(files: dict[str, bytes]) -> None:
    for number in (np.nan, np.inf):
        data = files["weights.safetensors"][:-8] + np.float64(number).tobytes()
        with pytest.raises(Incorrect, match="not a finite number"):
            package.of_files(resigned(files | {"weights.safetensors": data}), AUTHORS)


def test_a_folder_with_links_pipes_or_anything_else_is_refused(tmp_path: Path) -> None:
    made = packed(tmp_path)
    (tmp_path / "secret").write_bytes((made.whole / "golden.json").read_bytes())
    golden = made.whole / "golden.json"
    golden.unlink()
    golden.symlink_to(tmp_path / "secret")
    with pytest.raises(Incorrect, match=r"golden\.json cannot be read"):
        package.read(made.whole, AUTHORS)
    golden.unlink()
    os.mkfifo(golden)
    with pytest.raises(Incorrect, match="not a regular file"):
        package.read(made.whole, AUTHORS)
    golden.unlink()
    golden.write_bytes(b" " * 1_000_001)
    with pytest.raises(Incorrect, match="larger than"):
        package.read(made.whole, AUTHORS)
    (made.whole / "weights.pkl").write_bytes(b"\x80\x04.")
    with pytest.raises(Incorrect, match="something else"):
        package.read(made.whole, AUTHORS)
    (tmp_path / "link").symlink_to(made.public)
    with pytest.raises(Incorrect, match="is not a folder"):
        package.read(tmp_path / "link", AUTHORS)
    assert package.read(made.public, AUTHORS).hash == made.package.hash


def test_categories_begin_where_they_say(tmp_path: Path) -> None:
    given = description()["outputs"]
    given[1]["categories"] = [
        {
            "from_percent": 3,
            "code": "watch",
            "text": "watch (3 % and above)",
            "indicator": "info",
            "guideline": "a test",
        },
        {
            "from_percent": 15,
            "code": "act",
            "text": "act (15 % and above)",
            "indicator": "warning",
            "guideline": "a test",
        },
    ]
    output = packed(tmp_path / "b", outputs=given).package.predictor.outputs[1]
    named = [output.category(Decimal(one), OURS) for one in ("2.99", "3", "14.9", "15", "99")]
    assert [one and one.code for one in named] == [None, "watch", "watch", "act", "act"]
    given[1]["categories"].reverse()
    with pytest.raises(Incorrect, match="rising"):
        packed(tmp_path / "c", outputs=given)
