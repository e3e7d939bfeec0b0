from __future__ import annotations

import sys
from pathlib import Path

import pytest

from fhirtwin.pgx import defined, functions
from fhirtwin.rules.genetics import tables
from fhirtwin.rules.registry import judge
from tests.rules.building import situation, taken
from tests.rules.genetics.building import result


def forget() -> None:
    """Empty what keeps tables in memory."""
    for name, module in list(sys.modules.items()):
        if name.startswith(("fhirtwin.pgx", "fhirtwin.rules.genetics")):
            for member in vars(module).values():
                if hasattr(member, "cache_clear"):
                    member.cache_clear()


def test_nothing_is_read_any_more_when_the_first_patient_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    forget()
    tables.read()
    monkeypatch.setattr(functions, "FOLDERS", ())
    monkeypatch.setattr(defined, "TABLE", Path("nowhere"))
    facts = (result("CYP2C19", "*2/*2"), result("CYP2D6", "*1/*4"), taken("paroxetine"))
    found = judge(situation("escitalopram", "codeine", facts=facts))
    assert len([one for one in found if one.topic == "pharmacogenetics"]) == 2
    forget()
    with pytest.raises(FileNotFoundError):
        tables.read()
    monkeypatch.undo()
    forget()
