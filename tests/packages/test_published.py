"""A folder of models: what is served, in which order, and what never gets in."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from fhirtwin.errors import Incorrect
from fhirtwin.packages import package, published
from fhirtwin.packages.making import Made
from fhirtwin.packages.package import Package
from tests.packages.builders import AUTHORS, OTHER_KEY, PACKED, packed, resigned


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Package]:
    folder = tmp_path_factory.mktemp("versions")
    made = {one: packed(folder / one, version=one) for one in ("1.0", "1.1", "1.2", "1.10")}
    return {one: package.read(found.whole, AUTHORS) for one, found in made.items()}


def _served(folder: Path) -> list[str]:
    return [one.version for one in published.entries(folder) if one.served]


def _current(folder: Path) -> list[str]:
    return [one.version for one in published.current(folder, AUTHORS)]


def test_versions_are_served_side_by_side_and_the_last_is_current(tmp_path: Path, versions: dict[str, Package]) -> None:
    for one in ("1.0", "1.2", "1.10"):
        published.publish(versions[one], tmp_path, with_weights=True)
    assert _served(tmp_path) == ["1.0", "1.2", "1.10"] and _current(tmp_path) == ["1.10"]
    published.publish(versions["1.10"], tmp_path, with_weights=True)  # again, which changes nothing
    assert _served(tmp_path) == ["1.0", "1.2", "1.10"]
    with pytest.raises(Incorrect, match=r"newer than 1\.1; to roll back"):
        published.publish(versions["1.1"], tmp_path, with_weights=True)


def test_rolling_back_ends_what_came_after_and_keeps_what_came_before(
    tmp_path: Path, versions: dict[str, Package]
) -> None:
    for one in ("1.0", "1.1", "1.2"):
        published.publish(versions[one], tmp_path, with_weights=True)
    assert published.roll_back(tmp_path, "kfre-packaged", "1.1", AUTHORS) == ("1.2",)
    assert _served(tmp_path) == ["1.0", "1.1"] and _current(tmp_path) == ["1.1"]
    published.publish(versions["1.2"], tmp_path, with_weights=True)  # forward again
    assert _current(tmp_path) == ["1.2"]
    with pytest.raises(Incorrect, match=r"no version 3 of model kfre-packaged; there is 1\.0, 1\.1, 1\.2"):
        published.roll_back(tmp_path, "kfre-packaged", "3", AUTHORS)
    assert published.withdraw(tmp_path, "kfre-packaged") == ("1.0", "1.1", "1.2")
    assert _served(tmp_path) == [] and _current(tmp_path) == []
    with pytest.raises(Incorrect, match="serves no model"):
        published.withdraw(tmp_path, "kfre-packaged")
    assert published.roll_back(tmp_path, "kfre-packaged", "1.0", AUTHORS) == ()
    assert _current(tmp_path) == ["1.0"]


def test_a_version_never_changes(tmp_path: Path, versions: dict[str, Package]) -> None:
    published.publish(versions["1.0"], tmp_path / "models", with_weights=True)
    made = packed(tmp_path / "other", version="1.0", title="Another model of that version")
    with pytest.raises(Incorrect, match="other content"):
        published.publish(package.read(made.whole, AUTHORS), tmp_path / "models", with_weights=True)


def test_a_name_is_its_first_authors(tmp_path: Path, versions: dict[str, Package]) -> None:
    published.publish(versions["1.0"], tmp_path / "models", with_weights=True)
    made = packed(tmp_path / "other", version="2", key=OTHER_KEY)
    both = {**AUTHORS, made.package.manifest.author: "somebody else"}
    given = package.read(made.whole, both)
    with pytest.raises(Incorrect, match="another author's"):
        published.publish(given, tmp_path / "models", with_weights=True)
    published.withdraw(tmp_path / "models", "kfre-packaged")
    published.publish(given, tmp_path / "models", with_weights=True)


def test_a_gateway_gets_no_weights_and_an_engine_needs_them(tmp_path: Path, versions: dict[str, Package]) -> None:
    published.publish(versions["1.0"], tmp_path, with_weights=False)
    (only,) = published.current(tmp_path, AUTHORS)
    assert not only.is_whole and not list(tmp_path.rglob("weights*"))
    with pytest.raises(Incorrect, match="an engine needs the whole package"):
        published.publish(only, tmp_path / "engine", with_weights=True)


def test_what_was_tampered_with_is_refused_by_name(tmp_path: Path, versions: dict[str, Package]) -> None:
    published.publish(versions["1.0"], tmp_path, with_weights=True)
    place = tmp_path / "kfre-packaged" / "1.0"
    right = (place / "public.json").read_bytes()
    (place / "public.json").write_bytes(right.replace(b"0.9365", b"0.9964"))
    with pytest.raises(Incorrect, match=r"kfre-packaged/1\.0: public\.json: it was changed"):
        published.current(tmp_path, AUTHORS)
    (place / "public.json").write_bytes(right)
    shutil.copytree(place, tmp_path / "kfre-packaged" / "9.9")
    (tmp_path / "kfre-packaged" / "served.json").write_text('{"served": ["9.9"]}')
    with pytest.raises(Incorrect, match=r"holds model kfre-packaged 1\.0, which belongs elsewhere"):
        published.current(tmp_path, AUTHORS)


@pytest.mark.parametrize(
    "served",
    [
        "",
        "[]",
        '{"served": ["../../etc"]}',
        '{"served": ["1.0", "1.0"]}',
        '{"served": ["7"]}',
        '{"served": ["1.0\\n"]}',
        '{"served": [1.0]}',
    ],
)
def test_a_list_that_is_not_right_serves_nothing(tmp_path: Path, versions: dict[str, Package], served: str) -> None:
    published.publish(versions["1.0"], tmp_path, with_weights=True)
    (tmp_path / "kfre-packaged" / "served.json").write_text(served)
    with pytest.raises(Incorrect, match=r"served\.json"):
        published.current(tmp_path, AUTHORS)


def test_a_list_or_a_name_that_is_not_right_is_its_own_models_alone(
    tmp_path: Path, versions: dict[str, Package]
) -> None:
    published.publish(versions["1.0"], tmp_path, with_weights=True)
    (tmp_path / "other" / "1.0").mkdir(parents=True)
    (tmp_path / "other" / "served.json").write_text("{")
    (tmp_path / "No Name").mkdir()
    found = {one.id: one for one in published.entries(tmp_path)}
    assert found["kfre-packaged"].current and published.load(found["kfre-packaged"], AUTHORS).id == "kfre-packaged"
    for name in ("other", "No Name"):
        assert found[name].wrong and not found[name].served
        with pytest.raises(Incorrect, match=name):
            published.load(found[name], AUTHORS)


def test_no_more_are_served_than_a_worker_has_room_for(
    tmp_path: Path, versions: dict[str, Package], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(published, "MOST_SERVED", 1)
    published.publish(versions["1.0"], tmp_path, with_weights=True)
    published.publish(versions["1.1"], tmp_path, with_weights=True)
    with pytest.raises(Incorrect, match="more than 1"):
        published.entries(tmp_path)


def test_what_lies_about_in_a_folder_is_passed_over(tmp_path: Path, versions: dict[str, Package]) -> None:
    published.publish(versions["1.0"], tmp_path, with_weights=True)
    for stray in ("1..2", "01", "1.0.", "٣", ".tmp", "notes"):
        (tmp_path / "kfre-packaged" / stray).mkdir()
    (tmp_path / "README").write_text("models")
    assert [one.version for one in published.entries(tmp_path)] == ["1.0"]


def test_a_model_does_not_take_the_name_of_a_built_in_predictor(tmp_path: Path) -> None:
    with pytest.raises(Incorrect, match="is a predictor of this program"):
        packed(tmp_path, id="kfre-4-variable")
    files = dict(packed(tmp_path).package.files)
    manifest = json.loads(files["manifest.json"]) | {"id": "kfre-4-variable"}
    found = package.of_files(resigned(files | {"manifest.json": json.dumps(manifest).encode()}), AUTHORS)
    for with_weights in (True, False):
        with pytest.raises(Incorrect, match="is a predictor of this program"):
            published.publish(found, tmp_path / "models", with_weights=with_weights)


@pytest.mark.parametrize("name", ["../x", "", "A", "a/b", "a\n"])
def test_names_lead_nowhere_else(tmp_path: Path, name: str) -> None:
    with pytest.raises(Incorrect):
        published.withdraw(tmp_path, name)
    with pytest.raises(Incorrect):
        published.roll_back(tmp_path, name, "1", AUTHORS)


def test_a_package_that_names_another_folder_is_refused(tmp_path: Path) -> None:
    for changes in ({"id": "../../escape"}, {"version": "../1"}, {"version": "1.0\n"}, {"id": "a/b"}):
        with pytest.raises(Incorrect, match=r"a name in small letters|a version: up to four"):
            packed(tmp_path / json.dumps(changes).encode().hex(), **changes)


@pytest.mark.parametrize("make", [make for make in PACKED.values() if make is not packed])
def test_models_of_other_kinds_are_published_and_rolled_back_in_the_same_way(
    tmp_path: Path, make: Callable[..., Made]
) -> None:
    old, new = (make(tmp_path / version, version=version).package for version in ("1.0", "1.1"))
    for folder, whole in ((tmp_path / "engine", True), (tmp_path / "gateway", False)):
        for one in (old, new):
            published.publish(package.of_files(one.files, AUTHORS), folder, with_weights=whole)
        assert published.roll_back(folder, old.id, "1.0", AUTHORS) == ("1.1",)
        (current,) = published.current(folder, AUTHORS)
        assert (current.hash, current.kind, current.is_whole) == (old.hash, old.kind, whole)
        assert bool(list(folder.rglob("weights*"))) is whole
