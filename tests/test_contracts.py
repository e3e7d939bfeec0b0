"""The import contracts name every module they are meant for: a new one is not outside by being forgotten."""

from __future__ import annotations

import tomllib

import pytest

from tests.conftest import ROOT

PACKAGE = ROOT / "fhirtwin"
CONTRACTS = {
    contract["name"]: contract
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
}


def _modules(folder: str) -> set[str]:
    found = {path.stem for path in (PACKAGE / folder).glob("*.py")}
    found |= {path.parent.name for path in (PACKAGE / folder).glob("*/__init__.py")}
    return found - {"__init__", "__main__"}


@pytest.mark.parametrize(
    ("name", "exempt"),
    [
        ("Only ckks and vault know Pyfhel", {"ckks", "vault"}),
        ("Flask stays at the doors", {"api", "app", "engine"}),
    ],
)
def test_every_other_module_is_forbidden(name: str, exempt: set[str]) -> None:
    assert set(CONTRACTS[name]["source_modules"]) == {f"fhirtwin.{module}" for module in _modules(".") - exempt}


def test_all_mappers_are_independent() -> None:
    mappers = _modules("twin/mappers") - {"registry"}
    named = CONTRACTS["Mappers do not know one another"]["modules"]
    assert set(named) == {f"fhirtwin.twin.mappers.{mapper}" for mapper in mappers}


def test_all_families_of_predictors_are_independent() -> None:
    families = {path.parent.name for path in (PACKAGE / "predictors").glob("*/__init__.py")}
    named = CONTRACTS["Predictors do not know one another"]["modules"]
    assert set(named) == {f"fhirtwin.predictors.{family}" for family in families}
