"""The page of the services that follow up tells each service's prefetch as it is."""

from __future__ import annotations

import re

from fhirtwin.api.cds.services import registry
from tests.conftest import ROOT

SERVICES = ("twin-medication-refill", "twin-encounter-discharge", "twin-problem-list-item-create")


def test_the_page_tells_which_keys_are_required() -> None:
    page = (ROOT / "docs" / "cds" / "follow-up.md").read_text()
    rows = re.findall(r"^\| `([a-z]+)` \| [^|]+ \| ?(yes|no|) ?\| ?(yes|no|) ?\| ?(yes|no|) ?\|$", page, re.M)
    told = {
        service: {key: marks[number] for key, *marks in rows if marks[number]}
        for number, service in enumerate(SERVICES)
    }
    assert told == {
        service: {
            key: "yes" if template.required else "no"
            for key, template in registry.all_services()[service].prefetch.items()
        }
        for service in SERVICES
    }
    assert all(f"`{service}`" in page for service in SERVICES)
