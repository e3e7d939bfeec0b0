"""The page of suggestions lists every service, and every order as it is made."""

from __future__ import annotations

import re

from fhirtwin.api.cds.services import registry
from fhirtwin.predictors.model import Refusal
from fhirtwin.predictors.registry import all_predictors
from fhirtwin.report import filing, requests
from tests.conftest import ROOT
from tests.report.builders import occasion

PAGE = (ROOT / "docs" / "cds" / "suggestions.md").read_text()
CARD = "4e0a3a1e-3283-4575-ab82-028d55fe2719"


def test_every_service_is_on_the_page() -> None:
    rows = " ".join(re.findall(r"^\| (`twin-[^|]*) \|", PAGE, re.M))
    assert set(re.findall(r"`([a-z-]+)`", rows)) == set(registry.all_services())
    assert f"*{filing.LABEL}*" in PAGE


def test_every_order_of_what_predictors_need_is_on_the_page() -> None:
    rows = dict(re.findall(r"^\| [^|]+ \| ((?:Order|Measure) [^|]+) \| ([-\d, ]+) \|$", PAGE, re.M))
    needed = [Refusal(p, ("r",), missing=tuple(i.fact for i in p.inputs)) for p in all_predictors()]
    made = requests.suggestions(needed, CARD, occasion())
    assert rows == {
        one["label"]: ", ".join(a["resource"]["code"]["coding"][0]["code"] for a in one["actions"]) for one in made
    }
