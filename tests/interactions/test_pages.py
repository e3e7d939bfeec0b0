"""Every interaction and operation has its page, and every search parameter its mention."""

from __future__ import annotations

import pkgutil
import re
from importlib import import_module
from pathlib import Path

import pytest

from fhirtwin import interactions
from fhirtwin.interactions import registry
from fhirtwin.store import index

PAGES = Path(__file__).resolve().parents[2] / "docs" / "api"


def names() -> list[str]:
    """Modules whose docstring begins with the name that the specification has for them."""
    found = []
    for module in pkgutil.iter_modules(interactions.__path__):
        said = (import_module(f"{interactions.__name__}.{module.name}").__doc__ or "").partition(":")[0]
        if said == module.name.replace("_", "-"):
            found.append(said)
    return [*found, *sorted({f"${operation.name}" for operation in registry.all_operations()})]


def test_the_interactions_are_found_by_their_names() -> None:
    written = {"create", "update", "delete", "batch", "transaction"}
    assert {"read", "vread", "history", "search-type", "capabilities", "$twin"} | written <= set(names())


@pytest.mark.parametrize("name", names())
def test_there_is_a_page(name: str) -> None:
    assert (PAGES / f"{name.removeprefix('$')}.md").read_text().splitlines()[0] == f"# {name}"


def test_the_page_of_search_names_what_is_offered() -> None:
    lines = (PAGES / "search-type.md").read_text().splitlines()
    named = {}
    for line in lines:
        if found := re.fullmatch(r"\| ([A-Z]\w+) \| (`.*`) \|", line):
            named[found[1]] = set(re.findall(r"`([^`]+)`", found[2]))
    offered = {type_: set(index.kinds(type_)) - {"_id", "identifier"} for type_ in index.PARAMETERS}
    assert named == {type_: parameters for type_, parameters in offered.items() if parameters}
