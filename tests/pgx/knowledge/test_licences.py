"""No text is shown of which no licence is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhirtwin.pgx.knowledge.licences import Licences
from fhirtwin.pgx.knowledge.plain import Wrong
from tests.pgx.knowledge.files import put

TABLE = """# Sources
| path | what | licence | ship? |
|---|---|---|---|
| clinpgx/*.jsonl, index.tsv | texts | CC BY-SA 4.0, by agreement | no |
| `cpic/rows.jsonl` | rows | CC0 | yes |
| empty.jsonl | | | |
"""


def test_the_folders_own_word_comes_first(tmp_path: Path) -> None:
    put(tmp_path, "SOURCES.md", TABLE)
    known = Licences(tmp_path)
    assert known.of("clinpgx/a.jsonl", "known") == "CC BY-SA 4.0, by agreement"
    assert known.of("clinpgx/index.tsv") == "CC BY-SA 4.0, by agreement"
    assert known.of("cpic/rows.jsonl", "known") == "CC0"
    assert known.of("other.jsonl", "known") == "known"


def test_what_is_known_of_the_format_comes_before_a_general_licence(tmp_path: Path) -> None:
    put(tmp_path, "LICENSE", "Mozilla Public License Version 2.0\n")
    assert Licences(tmp_path).of("a.json", "CC BY-SA 4.0 (ClinPGx)") == "CC BY-SA 4.0 (ClinPGx)"


def test_a_licence_beside_the_file_or_above(tmp_path: Path) -> None:
    put(tmp_path, "LICENSE.md", "\n# Ours alone\n\nText.\n")
    put(tmp_path, "inner/LICENSE", "Theirs <b>\n")
    known = Licences(tmp_path)
    assert known.of("inner/a.json") == "Theirs ‹b>"
    assert known.of("else/where/a.json") == "Ours alone"


def test_without_any_word_it_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "SOURCES.md", TABLE)
    for name in ("x.json", "empty.jsonl"):
        with pytest.raises(Wrong, match="no licence is stated"):
            Licences(tmp_path).of(name)
