"""`fhirtwin model`: what an owner and a hospital type, and what they are told when it is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fhirtwin.cli import main
from fhirtwin.packages import published
from tests.packages.builders import KFRE


def run(*words: object) -> Result:
    return CliRunner().invoke(main, ["model", *map(str, words)])


def right(*words: object) -> str:
    done = run(*words)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with an author's key, whom engine and gateway trust, and a package."""
    public = right("key", tmp_path / "author.key").splitlines()[-1]
    right("trust", "kidney-group", public, "--authors", tmp_path / "authors.json")
    right("trust", "kidney-group", public, "--data", tmp_path / "data")
    pack(tmp_path)
    return tmp_path


def pack(place: Path, **changes: Path) -> Result:
    given = {
        "description": KFRE / "model.json",
        "weights": KFRE / "weights.csv",
        "golden": KFRE / "golden.json",
        **changes,
    }
    words = (given["description"], "--weights", given["weights"], "--golden", given["golden"])
    return run("pack", *words, "--key", place / "author.key", "--out", place / "out")


def engine(place: Path) -> tuple[object, ...]:
    return "--models", place / "models", "--authors", place / "authors.json"


def test_a_key_that_is_there_is_told_again_and_kept(tmp_path: Path) -> None:
    file = tmp_path / "author.key"
    first, kept = right("key", file).splitlines()[-1], file.read_bytes()
    assert right("key", file).splitlines()[-1] == first
    assert file.read_bytes() == kept
    file.write_text("no key")
    again = run("key", file)
    assert again.exit_code == 1 and file.read_text() == "no key"


def test_from_packing_to_rolling_back(place: Path) -> None:
    whole, public = place / "out" / "kfre-packaged-1.0", place / "out" / "kfre-packaged-1.0.public"
    assert "panel, whole package, signed by kidney-group" in right("verify", whole, "--data", place / "data")
    told = right("verify", whole, "--data", place / "data")
    assert "Profile P1-mask: depth 1 of 1, error at most 0.0001" in told and "Packing: two features a slot" in told
    assert "A call for one patient takes ciphertexts: 1 there, 1 back; products: 1." in told
    told = right("verify", public)
    assert "Profile P1-mask: depth 1 of 1" in told and "A call" not in told  # of which the weights tell
    assert "compare that key with the author's" in right("verify", public)
    assert "is at 1.0, by kidney-group" in right("publish", whole, *engine(place))
    (place / "next.json").write_text((KFRE / "model.json").read_text().replace('"1.0"', '"1.1"'))
    assert pack(place, description=place / "next.json").exit_code == 0
    right("publish", place / "out" / "kfre-packaged-1.1", *engine(place))
    listed = right("list", *engine(place)).splitlines()
    assert all("  panel, P1-mask, depth 1  " in line for line in listed)
    assert [line.split()[1:3] for line in listed] == [["1.0", "served"], ["1.1", "current"]]
    assert "Served no more: 1.1." in right("publish", "kfre-packaged", "--version", "1.0", *engine(place))
    assert [line.split()[2] for line in right("list", *engine(place)).splitlines()] == ["current", "kept"]
    assert "withdrawn" in right("withdraw", "kfre-packaged", "--models", place / "models")


def test_a_gateway_gets_the_public_half_whichever_folder_is_given(place: Path) -> None:
    assert "Restart the gateway" in right("publish", place / "out" / "kfre-packaged-1.0", "--data", place / "data")
    assert not list((place / "data").rglob("weights*"))
    assert "public half" in right("list", "--data", place / "data")
    assert len(published.entries(place / "data" / "models")) == 1


def test_a_changed_package_is_named_and_not_published(place: Path) -> None:
    path = place / "out" / "kfre-packaged-1.0" / "golden.json"
    path.write_bytes(path.read_bytes().replace(b"0.1", b"0.2"))
    for words in (("verify", path.parent), ("publish", path.parent, *engine(place))):
        done = run(*words)
        assert (
            done.exit_code == 1
            and "golden.json: it was changed since model kfre-packaged 1.0 was signed" in done.output
        )
    assert not (place / "models").exists()


def test_publishing_an_id_without_a_version_says_what_to_give(place: Path) -> None:
    done = run("publish", "kfre-packaged", *engine(place))
    assert done.exit_code == 1 and "not a folder" in done.output and "and --version" in done.output


def test_verifying_says_what_was_checked_and_what_not(place: Path) -> None:
    whole, public = place / "out" / "kfre-packaged-1.0", place / "out" / "kfre-packaged-1.0.public"
    assert "The weights give the right answers to 3 golden cases" in right("verify", whole)
    told = right("verify", public)
    assert "no weights to evaluate them by; --engine asks" in told and "right" not in told


def test_the_id_of_a_predictor_of_this_program_is_not_packed(place: Path) -> None:
    (place / "built-in.json").write_text((KFRE / "model.json").read_text().replace("kfre-packaged", "kfre-4-variable"))
    done = pack(place, description=place / "built-in.json")
    assert done.exit_code == 1 and "kfre-4-variable is a predictor of this program" in done.output
    assert not list((place / "out").glob("kfre-4*"))


def test_a_stranger_is_told_apart(place: Path) -> None:
    (place / "nobody.json").write_text('{"authors": []}')
    (place / "nobody.json").chmod(0o600)
    done = run(
        "publish", place / "out" / "kfre-packaged-1.0", "--models", place / "m", "--authors", place / "nobody.json"
    )
    assert done.exit_code == 1 and "who is not trusted here; `fhirtwin model trust` says whom to trust" in done.output


def test_what_is_spoilt_in_a_folder_is_listed_as_refused(place: Path) -> None:
    right("publish", place / "out" / "kfre-packaged-1.0", *engine(place))
    (place / "models" / "kfre-packaged" / "1.0" / "manifest.sig").write_bytes(b"0" * 128)
    assert "kfre-packaged 1.0  refused: " in right("list", *engine(place))


def test_a_spoilt_list_of_one_model_hides_no_other(place: Path) -> None:
    right("publish", place / "out" / "kfre-packaged-1.0", *engine(place))
    (place / "models" / "other" / "2.0").mkdir(parents=True)
    (place / "models" / "other" / "served.json").write_text("{")
    one, other = right("list", *engine(place)).splitlines()
    assert one.startswith("kfre-packaged 1.0  current") and other.startswith("other 2.0  refused: ")
    assert "served.json" in other


def test_golden_cases_that_tell_all_weights_are_remarked_upon(place: Path) -> None:
    cases = [
        f'{{"name": "c{n}", "values": {{"age": {30 + 7 * n}, "sex": "{"male" if n % 2 else "female"}", '
        f'"egfr": {20 + n * n}, "uacr": {10 ** (n % 4 + 1)}}}}}'
        for n in range(5)
    ]
    (place / "many.json").write_text(f'{{"cases": [{", ".join(cases)}]}}')
    (place / "next.json").write_text((KFRE / "model.json").read_text().replace('"1.0"', '"1.1"'))
    done = pack(place, description=place / "next.json", golden=place / "many.json")
    assert done.exit_code == 0 and "tell all weights: give fewer than 4" in done.output


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("list",), "Name either --models, of an engine, or --data, of a gateway"),
        (("list", "--models", "m", "--data", "d", "--authors", "a"), "Name either --models"),
        (("list", "--models", "m"), "Name the file of trusted authors by --authors"),
        (("trust", "a", "zz", "--authors", "a.json"), "the new author"),
        (("verify", "."), "is no model package|something else"),
        (("withdraw", "nothing", "--models", "m"), "serves no model nothing"),
    ],
)
def test_what_is_missing_or_wrong_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], text: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run(*words)
    assert done.exit_code == 1 and any(one in done.output for one in text.split("|")), done.output


def test_packing_says_what_is_wrong_with_the_owners_files(place: Path, tmp_path: Path) -> None:
    def written(name: str, text: str) -> Path:
        (tmp_path / name).write_text(text)
        return tmp_path / name

    description, table, golden = (KFRE / name for name in ("model.json", "weights.csv", "golden.json"))
    cases = [
        ({"weights": written("w.csv", table.read_text().replace("egfr", "gfr"))}, "a line for each feature"),
        ({"weights": written("w2.csv", table.read_text().replace("0.4510", "much"))}, "a weight is not a number"),
        ({"weights": written("w3.csv", table.read_text().replace("0.4510", "nan"))}, "not a finite number"),
        ({"weights": written("w.pkl", "x")}, "a pickle is never read"),
        (
            {"golden": written("g.json", golden.read_text().replace("90.03", "90.30"))},
            f"{tmp_path / 'g.json'}: published patient at 57: the percentage of kidney-failure-5y does not come out "
            "as it is given: it is 90.027",
        ),
        (
            {"description": written("d.json", description.read_text().replace('"id": "kfre-packaged",', ""))},
            "must name the model by id",
        ),
        ({"description": written("d2.json", description.read_text().replace('"log"', '"ln"'))}, "unknown field `ln`"),
    ]
    for changes, text in cases:
        done = pack(place, **changes)
        assert done.exit_code == 1 and text in done.output, done.output
    assert "is there already" in pack(place).output
