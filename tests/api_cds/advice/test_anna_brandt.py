"""The made-up request of Anna Brandt: genes, an inhibitor, and two drafts."""

from __future__ import annotations

import json

from tests.api_cds.advice.test_order_safety import cards
from tests.docs.test_pages import ROOT
from tests.gateway_in_process import Gateway

REQUEST = json.loads((ROOT / "fixtures" / "patients" / "anna-brandt" / "order-sign.json").read_text())


def test_she_gets_what_her_page_says(twin: Gateway) -> None:
    made = cards(twin.http.post("/cds-services/twin-order-sign", json=REQUEST))
    genes = {
        card["summary"].split(",")[0]: card for card in made if card["source"].get("topic", {}).get("code") == "GEN"
    }
    assert set(genes) == {"Escitalopram", "Codeine"}
    assert "CYP2C19 ultrarapid metabolizer" in genes["Escitalopram"]["summary"]
    assert [s["label"] for s in genes["Escitalopram"]["suggestions"]] == ["Remove the order of escitalopram"]
    assert "CYP2D6 poor metabolizer beside bupropion" in genes["Codeine"]["summary"]
    assert "normal metabolizer (activity score 2.0)" in genes["Codeine"]["detail"]


def test_without_the_inhibitor_codeine_stands_and_another_drug_is_named_to_be_checked(twin: Gateway) -> None:
    sent = json.loads(json.dumps(REQUEST))
    sent["prefetch"]["medications"] = {"resourceType": "Bundle", "type": "searchset"}
    made = cards(twin.http.post("/cds-services/twin-order-sign", json=sent))
    (card,) = [card for card in made if card["source"].get("topic", {}).get("code") == "GEN"]
    assert [s["label"] for s in card["suggestions"]] == ["Remove the order of escitalopram"]
    (named,) = [text for text in card["detail"].split("\n\n") if text.startswith("To be checked by you")]
    assert "fluvoxamine" in named
    assert "codeine beside it" in named
    assert "paroxetine" not in named  # it would slow CYP2D6 beside the other draft
