"""What somebody types to ask one model, and is told."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from fhirtwin.cli import main
from fhirtwin.packages import published
from fhirtwin.quarantine import microseconds
from fhirtwin.settings import Settings
from fhirtwin.store import Store
from tests.asking.place import VCF, Place, kidney


def test_what_somebody_types(place: Place, tmp_path: Path) -> None:
    (tmp_path / "v.json").write_text('{"level": 100, "given": 5}')
    (tmp_path / "nobody.vcf").write_bytes(VCF)
    done = place.typed("polygenic-illustration", "--vcf", tmp_path / "nobody.vcf")
    assert done.exit_code == 0, done.output
    whole = place.wholes["polygenic-illustration"]
    assert f"polygenic-illustration 1.0: polygenic, signed by kidney-group\nSHA-256 {whole.hash}" in done.output
    assert "made-up units\n  rounded: to 0.001\n2 of the 120 variants are missing" in done.output
    done = place.typed("trajectory-illustration", "--values", tmp_path / "v.json", "--json")
    told = json.loads(done.output)
    assert told["inputs"] == [
        {"name": "level", "value": "100", "unit": "mg/L"},
        {"name": "given", "value": "5", "unit": "mg/L"},
    ]
    assert (told["model"], told["version"], told["kind"]) == ("trajectory-illustration", "1.0", "trajectory")
    assert told["sha256"] == place.wholes["trajectory-illustration"].hash and len(told["told"][0]["values"]) == 24


@pytest.mark.parametrize("option", [("--sample", "a"), ("--filter", "q10"), ("--absent-is-reference",), ("--grch38",)])
def test_what_is_said_of_a_vcf_goes_with_no_values(place: Place, tmp_path: Path, option: tuple[str, ...]) -> None:
    (tmp_path / "v.json").write_text('{"level": 100, "given": 5}')
    done = place.typed("trajectory-illustration", "--values", tmp_path / "v.json", *option)
    assert done.exit_code == 1 and f"{option[0]} goes with --vcf" in done.output


def test_a_key_that_is_not_there_is_to_be_the_engines(place: Place, tmp_path: Path) -> None:
    (tmp_path / "v.json").write_text('{"level": 100, "given": 5}')
    words = ["model", "ask", "trajectory-illustration", "--values", tmp_path / "v.json", "--data", place.data]
    words += ["--engine", place.engine.url, "--engine-key", tmp_path / "none.key"]
    done = CliRunner().invoke(main, list(map(str, words)))
    assert done.exit_code == 1 and "copy the secret of the engine" in done.output and "keys make" not in done.output


def test_every_input_is_told_with_the_unit_that_it_was_taken_in(place: Place, tmp_path: Path) -> None:
    (tmp_path / "v.json").write_text(json.dumps(kidney(place.half("kfre-packaged"), egfr=30.5)))
    done = place.typed("kfre-packaged", "--values", tmp_path / "v.json")
    assert done.exit_code == 0, done.output
    (line,) = (line for line in done.output.splitlines() if line.startswith("asked for: "))
    for text in ("age 60 a", "sex male", "egfr 30.5 mL/min/{1.73_m2}", "uacr 100 mg/g", "deceased false"):
        assert text in line.removeprefix("asked for: ").split(", ")


def test_what_a_hospital_withdrew_is_not_asked_by_its_version_either(place: Place, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(place.data, data)
    authors = str(data / "authors.json")
    (tmp_path / "v.json").write_text('{"level": 100, "given": 5}')
    other = replace(place, data=data)
    words = ("trajectory-illustration", "--version", "1.0", "--values", tmp_path / "v.json")
    assert other.typed(*words).exit_code == 0
    published.withdraw(data / "models", "trajectory-illustration")
    done = other.typed(*words)
    back = ["model", "publish", "trajectory-illustration", "--version", "1.0", "--data", str(data)]
    assert done.exit_code == 1 and "1.0 was withdrawn" in done.output and f"`fhirtwin {' '.join(back)}`" in done.output
    assert CliRunner().invoke(main, [*back, "--authors", authors]).exit_code == 0
    assert other.typed(*words).exit_code == 0


def test_what_somebody_states_about_a_vcf(place: Place, tmp_path: Path) -> None:
    path = tmp_path / "other.vcf"
    path.write_bytes(VCF.replace(b"##reference=GRCh38\n", b"").replace(b"\tPASS\t", b"\tq10\t"))
    done = place.typed("polygenic-illustration", "--vcf", path)
    assert done.exit_code == 1 and "does not tell the genome build" in done.output
    done = place.typed("polygenic-illustration", "--vcf", path, "--grch38")
    assert (
        done.exit_code == 1
        and "118 in rows that did not pass the filters of the file (`--filter` trusts others); 2 not" in done.output
    )
    done = place.typed("polygenic-illustration", "--vcf", path, "--grch38", "--filter", "q10", "--sample", "nobody")
    assert done.exit_code == 0 and "2 of the 120 variants are missing" in done.output
    done = place.typed("polygenic-illustration", "--vcf", path, "--grch38", "--filter", "q10", "--absent-is-reference")
    assert done.exit_code == 0 and "the model does not say which allele that is" in done.output


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("trajectory-illustration",), "--values, or with --vcf"),
        (("nothing", "--values", "v.json"), "no current version of model nothing"),
        (
            ("trajectory-illustration", "--version", "9", "--values", "v.json"),
            "no version 9 of model trajectory",
        ),
        (("trajectory-illustration", "--values", "bad.json"), "bad.json"),
        (("trajectory-illustration", "--values", "list.json"), "list.json"),
        (("trajectory-illustration", "--values", "nan.json"), "no number of JSON"),
        (("polygenic-illustration", "--vcf", "bad.json"), "VCF"),
        (("polygenic-illustration", "--vcf", "nobody.vcf", "--sample", "x"), "no sample of that name"),
    ],
)
def test_what_is_told_when_it_is_wrong(place: Place, tmp_path: Path, words: tuple[str, ...], text: str) -> None:
    files = {"v.json": b'{"level": 1, "given": 1}', "bad.json": b'{"level": 1, "level": 2}', "list.json": b"[1]"}
    files |= {"nan.json": b'{"level": NaN, "given": 1}', "nobody.vcf": VCF}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    done = place.typed(*(tmp_path / word if word in files else word for word in words))
    assert done.exit_code == 1 and text in done.output, done.output


def test_an_engine_in_quarantine_is_not_asked(place: Place, tmp_path: Path) -> None:
    (tmp_path / "v.json").write_text('{"level": 100, "given": 5}')
    store = Store.open(Settings(data=place.data))
    try:
        with store.write() as write:
            write.standings.quarantine(microseconds(), None)
        done = place.typed("trajectory-illustration", "--values", tmp_path / "v.json")
        assert done.exit_code == 1 and "in quarantine" in done.output
    finally:
        with store.write() as write:
            write.standings.lift(microseconds())
        store.close()
    assert place.typed("trajectory-illustration", "--values", tmp_path / "v.json").exit_code == 0
