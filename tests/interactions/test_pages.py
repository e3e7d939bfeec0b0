"""Every interaction and operation has its page, and every search parameter its mention."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from pathlib import Path

import pytest

from fhirtwin import interactions
from fhirtwin.fhir.search import grammar as search_grammar
from fhirtwin.fhir.search import results as search_results
from fhirtwin.fhir.search.parameters import PARAMETERS, not_offered
from fhirtwin.fhir.search.results import PAGE
from fhirtwin.interactions import registry

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


def test_the_page_of_search_names_every_modifier_and_result_parameter() -> None:
    page = (PAGES / "search-type.md").read_text()
    modifiers = {"missing", *(modifier for of_kind in search_grammar.MODIFIERS.values() for modifier in of_kind)}
    assert [name for name in modifiers if f"`:{name}`" not in page] == []
    assert [name for name in search_results.READERS if f"`{name}`" not in page and name != PAGE] == []
    refused = {name for type_ in PARAMETERS for name in not_offered(type_)}
    assert [name for name in refused if f"`{name}`" not in page] == []
