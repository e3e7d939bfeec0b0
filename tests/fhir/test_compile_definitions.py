from __future__ import annotations

from pathlib import Path

from fhirtwin.fhir import compile_definitions


def test_the_committed_tables_are_what_the_definitions_give(shared: Path) -> None:
    folder = shared / "data/fhir/defs/r4"
    assert compile_definitions.compile_profiles(folder) == compile_definitions.PROFILES.read_text()
    assert compile_definitions.compile_codes(folder) == compile_definitions.CODES.read_text()
