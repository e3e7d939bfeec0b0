"""The page of the order services says what the rules say."""

from __future__ import annotations

import re

from fhirtwin.api.cds.services import registry
from fhirtwin.rules import pregnancy
from fhirtwin.rules.interactions import ROWS
from fhirtwin.rules.tables import allergies, heart_rhythm
from fhirtwin.terms import drugs
from tests.docs.test_pages import ROOT

PAGE = (ROOT / "docs" / "cds" / "order-safety.md").read_text()


def test_every_row_is_on_the_page_with_its_indicator_and_its_sources() -> None:
    rows = dict(re.findall(r"^\| `((?:interaction|allergy)\.[\w-]+)` (.*) \|$", PAGE, re.M))
    assert set(rows) == {f"interaction.{r.id}" for r in ROWS} | {f"allergy.{r.id}" for r in allergies.ROWS}
    for row in ROWS:
        shown = rows[f"interaction.{row.id}"]
        assert f"| {row.severity.value} |" in shown
        assert all(f"[{source.label}]({source.url})" in shown for source in row.sources)
    for cross in allergies.ROWS:
        assert all(f"]({source.url})" in rows[f"allergy.{cross.id}"] for source in cross.sources)


def test_every_row_of_pregnancy_is_on_the_page_with_its_sources() -> None:
    rows = dict(re.findall(r"^\| `pregnancy\.([\w-]+)` (.*) \|$", PAGE, re.M))
    assert set(rows) == {row.id for row in pregnancy.ROWS}
    for row in pregnancy.ROWS:
        assert all(f"[{source.label}]({source.url})" in rows[row.id] for source in row.sources)


def test_every_medicine_that_prolongs_qt_is_on_the_page() -> None:
    (listed,) = re.findall(r"among those that do: (.*)\.$", PAGE, re.M)
    assert listed.split(", ") == sorted(drugs.name_of(code) for code in heart_rhythm.PROLONGS)


def test_page_lists_every_prefetch_key_and_whether_it_is_required() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| .* \| (yes|no) \|$", PAGE, re.M))
    for id_ in ("twin-order-select", "twin-order-sign"):
        service = registry.all_services()[id_]
        assert f"`{id_}`" in PAGE
        assert rows == {key: "yes" if template.required else "no" for key, template in service.prefetch.items()}
