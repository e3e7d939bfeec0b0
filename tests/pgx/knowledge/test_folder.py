"""A folder of guideline texts is read whole, or refused by the name of the file."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from fhirtwin.errors import Incorrect
from fhirtwin.pgx.knowledge import bounded, folder
from fhirtwin.pgx.knowledge.entries import NOTHING
from tests.pgx.knowledge.files import annotation, put, view_row


def refused(path: Path) -> list[str]:
    with pytest.raises(Incorrect) as told:
        folder.load(path)
    return [issue.text for issue in told.value.issues]


def test_no_folder_gives_nothing() -> None:
    assert folder.load("") is NOTHING
    assert NOTHING.of_drug("codeine") == ()


def test_an_annotation_a_line(tmp_path: Path) -> None:
    put(tmp_path, "guideline_annotations_2024-04.jsonl", json.dumps(annotation()) + "\n")
    (entry,) = folder.load(tmp_path).of_drug(" ARIPIPRAZOLE ")
    assert (entry.source, entry.genes, entry.text) == ("DPWG", ("CYP2D6",), "Give no more than 10 mg/day.")
    assert entry.licence == "CC BY-SA 4.0 (ClinPGx)"
    assert entry.version == "version 42; 2024-03-25"
    assert entry.keys == ((("CYP2D6", "0.0"),),)
    assert entry.file == "guideline_annotations_2024-04.jsonl"


def test_what_was_read_cannot_be_changed(tmp_path: Path) -> None:
    put(tmp_path, "a.jsonl", annotation())
    found = folder.load(tmp_path)
    with pytest.raises(TypeError):
        found.by_drug["codeine"] = ()  # type: ignore[index]
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.of_drug("aripiprazole")[0].text = "other"  # type: ignore[misc]


def test_files_of_pharmcat(tmp_path: Path) -> None:
    genotype = annotation(lookupKey=[{"CYP2C9": {"*2": 1.0, "*3": 1.0}}, {"CYP2C9": {"*3": 2.0}}], classification=None)
    genotype["guideline"] |= {"source": "FDA", "url": None}
    genotype["url"] = "https://www.clinpgx.org/labelAnnotation/PA9"
    put(tmp_path, "prescribing_guidance.json", {"guidelines": [annotation(), genotype], "version": "2025-11-05"})
    put(tmp_path, "one/Annotation_of_DPWG_Guideline.json", annotation())
    found = folder.load(tmp_path)
    label = next(entry for entry in found.of_drug("aripiprazole") if entry.source == "FDA")
    assert label.keys == ((("CYP2C9", "*2/*3"),), (("CYP2C9", "*3/*3"),))
    assert label.url.endswith("PA9")
    assert [(file.format, file.entries) for file in found.files] == [
        ("PharmCAT guideline", 1),
        ("PharmCAT prescribing guidance", 2),
    ]


def test_answers_of_cpics_api(tmp_path: Path) -> None:
    put(tmp_path, "view_2026-02-05.json", [view_row(comments="Mind the pulse.")])
    bare = {"drugid": "RxNorm:6918", "lookupkey": {"CYP2D6": "1.0"}, "drugrecommendation": "Standard", "version": 3}
    put(tmp_path, "a_recommendation.json", [bare])
    put(tmp_path, "drug.json", [{"drugid": "RxNorm:6918", "name": "metoprolol"}])
    pair = {
        "drugname": "metoprolol",
        "genesymbol": "CYP2D6",
        "cpiclevel": "B",
        "clinpgxlevel": "1A",
        "provisional": False,
    }
    put(tmp_path, "pair_view.json", [pair])
    found = folder.load(tmp_path)
    texts = {entry.file: (entry.text, entry.version, entry.licence) for entry in found.of_drug("metoprolol")}
    licence = "CC0 1.0 (CPIC)"
    assert texts == {
        "a_recommendation.json": ("Standard", "version 3", licence),
        "pair_view.json": ("CPIC level B", "", licence),
        "view_2026-02-05.json": (
            "Initiate with lowest dose <20mg/day & titrate\nMind the pulse.",
            "2026-02-05",
            licence,
        ),
    }


def test_a_drug_known_by_its_id_alone_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "r.json", [{"drugid": "RxNorm:1", "lookupkey": {}, "drugrecommendation": "x"}])
    assert "r.json: row 1 has a drug without a name; put the answer of the API's /v1/drug" in refused(tmp_path)[0]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.json", "{", "is not JSON at line 1, column 2"),
        ("a.json", "[" * 100_000, "nested deeper than 20"),
        ("a.json", "[" * 30 + "]" * 30, "nested deeper than 20"),
        ("a.json", '{"guideline": 1, "guideline": 2}', "a name twice"),
        ("a.json", "[NaN]", "NaN or Infinity"),
        ("a.json", "[" + "9" * 5000 + "]", "a number that is too long"),
        ("a.json", {"other": 1}, "no JSON that is known here"),
        ("a.json", [], "no JSON that is known here"),
        ("a.json", {"annotationGroups": [], "guideline": {}}, "PharmCAT (2.12 or newer)"),
        ("a.jsonl", "", "is empty"),
        ("a.jsonl", "\n\n{}\n", "line 3 is neither an annotation"),
        ("a.jsonl", "null", "line 1 is neither"),
        ("a.jsonl", annotation(text={"html": ""}), "line 1 has a recommendation without text"),
        ("a.jsonl", annotation(text={"html": "x" * 50_001}), "longer than 50,000 characters"),
        ("a.jsonl", annotation(text="x"), "is not an object"),
        ("a.jsonl", annotation(implications="x"), "where a list belongs"),
        ("a.jsonl", annotation(lookupKey={"CYP2C9": {"*1": 1e300}}), "neither once nor twice"),
        ("a.jsonl", annotation(guideline={"url": "javascript:alert(1)"}), "is not an address that begins with http"),
        ("a.jsonl", annotation(guideline={"url": 'https://x/">'}), "is not an address"),
        ("a.jsonl", annotation(guideline={"source": ""}), "is empty"),
        ("a.json", [view_row(drugrecommendation="")], "row 1 has a recommendation without text"),
        ("a.json", [view_row(), {"x": 1}], "no JSON that is known here"),
        ("b.tsv", "drug\tgene\n", "is no table that is known here"),
        ("fda_pgx_associations_index.tsv", "drug\tgene\n", "has no column fda_section, clinpgx_url"),
        (
            "fda_pgx_associations_index.tsv",
            "drug\tgene\tfda_section\tclinpgx_url\ncodeine\tCYP2D6\n",
            "line 2 has 2 fields instead of 4",
        ),
        ("a.json.gz", "x", "is packed"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(tmp_path: Path, name: str, content: Any, says: str) -> None:
    put(tmp_path, "good.jsonl", annotation())
    put(tmp_path, name, content)
    (told,) = refused(tmp_path)
    assert told.startswith(f"{tmp_path / name}: ") and says in told


def test_every_bad_file_is_named(tmp_path: Path) -> None:
    put(tmp_path, "a.json", "{")
    (tmp_path / "b.json").write_bytes(b"\xff\xfe{}")
    assert [told.split(": ")[0] for told in refused(tmp_path)] == [str(tmp_path / "a.json"), str(tmp_path / "b.json")]


def test_a_file_that_is_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "LARGEST_FILE", 1024 * 1024)
    put(tmp_path, "a.json", " " * (1024 * 1024 + 1))
    assert "is larger than 1 MiB" in refused(tmp_path)[0]


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "MOST_FILES", 2)
    for number in range(3):
        put(tmp_path, f"{number}.txt", "")
    assert "more than 2 files" in refused(tmp_path)[0]


def test_too_many_texts_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "MOST_ENTRIES", 1)
    put(tmp_path, "a.json", [view_row(), view_row()])
    assert "above 1 texts" in refused(tmp_path)[0]


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "is not a folder" in refused(tmp_path / "none")[0]


def test_files_without_texts_are_told(tmp_path: Path) -> None:
    for name in ("README.md", "cpic/alleles.tsv", "alleles.tsv", "cpic/diplotypes/CYP2D6.tsv.gz", ".hidden.json"):
        put(tmp_path, name, "x")
    assert folder.load(tmp_path).passed_over == (
        "README.md",
        "alleles.tsv",
        "cpic/alleles.tsv",
        "cpic/diplotypes/CYP2D6.tsv.gz",
    )


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "a.json")
    assert len(folder.load(tmp_path)) == 0


def test_the_shared_layout_loads_whole(shared: Path) -> None:
    for name, texts in (("clinpgx", 119 + 2583), ("cpic", 2098)):
        assert len(folder.load(shared / "data/pgx" / name)) == texts
    found = folder.load(shared / "data/pgx/clinpgx")
    assert {entry.source for entries in found.by_drug.values() for entry in entries} == {"CPIC", "DPWG", "FDA"}
    assert all(entry.licence and "<p" not in entry.text for entries in found.by_drug.values() for entry in entries)
    assert any("10 mg/day" in entry.text for entry in found.of_drug("aripiprazole"))


def test_progress_is_told(tmp_path: Path) -> None:
    put(tmp_path, "a.jsonl", annotation())
    put(tmp_path, "b.jsonl", annotation())
    told: list[tuple[int, int, str]] = []
    folder.load(tmp_path, lambda *one: told.append(one))
    assert told == [(0, 2, "a.jsonl"), (1, 2, "b.jsonl")]
