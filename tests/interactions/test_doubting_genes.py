"""An engine that lies about genes: what it said was not stored, and what was stored of it is withdrawn."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from fhirtwin.ckks.sealed import SealedFeatures, SealedScores
from fhirtwin.cli import main
from fhirtwin.interactions import genomes
from fhirtwin.interactions.registry import all_operations
from fhirtwin.interactions.withdrawing import DOUBTED
from fhirtwin.pgx.circuits import tables
from fhirtwin.pgx.circuits.book import CODE_STEP
from fhirtwin.store.advice_tables import cds_call_count, cds_card
from fhirtwin.store.schema import metadata
from fhirtwin.terms.drugs.ingredients import CODES
from tests.api_cds.advice.test_genes import gene
from tests.api_cds.advice.test_order_safety import call, cards, draft
from tests.api_cds.advising import send
from tests.gateway_in_process import Gateway, evaluator, gateway
from tests.interactions.operations.test_import_vcf import vcf
from tests.interactions.test_doubting import assess, history, right_until_now, somebody
from tests.test_assess_genes import moved

GENES_ASKED = {panel.digest for panel in tables.panels()}
CITALOPRAM, PAROXETINE = CODES["citalopram"], CODES["paroxetine"]


@pytest.fixture
def sealed(tmp_path: Path, database_url: str) -> Iterator[Gateway]:
    made = gateway(tmp_path, genes="sealed", database_url=database_url)
    made.now = datetime.now(UTC)
    yield made
    made.parts.store.close()


def with_genes(twin: Gateway, number: int = 1) -> str:
    """A patient whose genes came in a file."""
    patient = somebody(twin, number)
    answer = twin.http.post(f"/fhir/Patient/{patient}/$import-vcf?sample=S1", data=vcf(), content_type="text/vcf")
    assert answer.status_code == 200, answer.text
    return patient


def everything(twin: Gateway, *, but: tuple[str, ...] = ()) -> dict[str, list[str]]:
    """All rows of all tables."""
    found = {}
    with twin.parts.store.snapshot() as reader:
        for name, table in metadata.tables.items():
            if name not in but:
                found[name] = sorted(repr(tuple(row)) for row in reader._connection.execute(select(table)))
    return found


def asked_of_genes(twin: Gateway) -> int:
    return sum(1 for one in twin.courier.sent if one.panel_digest in GENES_ASKED)


def lies_about_genes(features: SealedFeatures) -> SealedScores:
    """Half a code added to a sum, which is no code."""
    right = evaluator().evaluate(features, b"")
    return moved("CYP2C19", 0.5 * float(CODE_STEP))(right)


def quarantine(twin: Gateway, *words: str) -> str:
    chosen = twin.parts.settings
    environment = {"FHIRTWIN_DATABASE_URL": chosen.database_url} if chosen.database_url else {}
    done = CliRunner(env=environment).invoke(main, ["quarantine", *words, "--data", str(chosen.data)])
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.parametrize(
    "query",
    [
        "Patient/{}/$pharmacogenomic-report?drug=clopidogrel",
        "Patient/{}/$pharmacogenomic-report?all=true",
        "Patient/{}/$treatment-response?setting=depression",
        "$find-subject-tx-implications?subject={}&haplotypes=CYP2C19 *2",
        "$find-subject-haplotypes?subject={}&genes=CYP2C19",
        "$find-subject-specific-haplotypes?subject={}&haplotypes=CYP2C19 *2",
    ],
)
def test_no_operation_stores_what_the_engine_says_of_genes(sealed: Gateway, query: str) -> None:
    patient = with_genes(sealed)
    before = everything(sealed)
    answer = sealed.http.get("/fhir/" + query.format(patient))
    assert answer.status_code == 200 and "CYP2C19" in answer.text
    assert asked_of_genes(sealed) > 0
    assert everything(sealed) == before


def test_every_operation_that_tells_of_genes_is_one_that_changes_nothing() -> None:
    telling = [one for one in all_operations() if genomes in vars(sys.modules[one.run.__module__]).values()]
    assert "pharmacogenomic-report" in {one.name for one in telling}
    assert [one.name for one in telling if one.affects_state] == []


def test_what_is_stored_of_genes_and_what_reports_are_stored_does_not_come_from_a_lookup(sealed: Gateway) -> None:
    patient = with_genes(sealed)
    assert assess(sealed, patient).status_code == 200
    assert len(sealed.reports(patient)) == 2
    assert asked_of_genes(sealed) == 0


def test_of_cards_the_store_keeps_that_they_were_given_and_nothing_of_what_they_say(sealed: Gateway) -> None:
    before = everything(sealed, but=(cds_card.name, cds_call_count.name))
    made = cards(call(sealed, draft(CITALOPRAM), observations=(gene("CYP2C19", "*2/*2"),)))
    assert any("CYP2C19 poor metabolizer" in card["summary"] for card in made)
    assert asked_of_genes(sealed) > 0
    assert everything(sealed, but=(cds_card.name, cds_call_count.name)) == before
    kept = "".join(everything(sealed)[cds_card.name])
    assert all(word not in kept.casefold() for word in ("cyp2c19", "metabolizer", "citalopram"))
    assert set(cds_card.c.keys()) == {
        *("card", "service", "hook", "finding", "indicator", "patient_origin", "patient_id", "user_reference"),
        *("caller", "suggestions", "reasons", "first_given", "last_given", "overridden"),
    }


@pytest.mark.databases
def test_a_lie_about_genes_withdraws_risks_since_the_last_right_answer_and_nothing_else(sealed: Gateway) -> None:
    early, late = with_genes(sealed, 1), with_genes(sealed, 2)
    assert assess(sealed, early).status_code == 200
    right_until_now(sealed)
    assert assess(sealed, late).status_code == 200
    stood = {patient: sealed.reports(patient) for patient in (early, late)}
    called = (
        sealed.http.get("/fhir/DiagnosticReport?_sort=_lastUpdated").json,
        sealed.http.get("/fhir/Observation").json,
    )
    sealed.courier.way = lies_about_genes
    answer = sealed.http.get(f"/fhir/Patient/{late}/$pharmacogenomic-report?drug=clopidogrel")
    assert answer.status_code == 503 and "in quarantine" in answer.text

    assert sealed.reports(early) == stood[early]
    after = sealed.reports(late)
    assert len(after) == 2
    for name, report in after.items():
        assert (report["status"], report["note"][-1]) == ("entered-in-error", {"text": DOUBTED})
        assert [one["status"] for one in history(sealed, report["id"])] == ["entered-in-error", "final"]
        assert history(sealed, report["id"])[1] == stood[late][name]
    now = sealed.http.get("/fhir/DiagnosticReport?_sort=_lastUpdated").json, sealed.http.get("/fhir/Observation").json
    assert [[one["resource"] for one in found["entry"]] for found in now if found] == [
        [one["resource"] for one in found["entry"]] for found in called if found
    ]


def test_how_many_are_withdrawn_is_told(sealed: Gateway) -> None:
    patient = with_genes(sealed)
    assess(sealed, patient)
    quarantine(sealed, "impose", "--since", "ever")
    assert "not all withdrawn yet (0 withdrawn, 2 not)." in quarantine(sealed, "show")
    answer = sealed.http.get(f"/fhir/Patient/{patient}/$pharmacogenomic-report")
    assert answer.status_code == 503 and asked_of_genes(sealed) == 0
    assert "since ever: withdrawn (2)." in quarantine(sealed, "show")


ORDERS = (draft(CITALOPRAM), gene("CYP2C19", "*2/*2")), (draft(PAROXETINE), gene("CYP2D6", "*1/*2x2"))


def shown_of_genes(twin: Gateway, number: int) -> list[str]:
    """Ids of the cards on an order; they are no critical ones."""
    ordered, result = ORDERS[number]
    made = cards(call(twin, ordered, observations=(result,)))
    return [card["uuid"] for card in made if card["source"].get("topic", {}).get("code") == "GEN"]


def override(twin: Gateway, number: int) -> None:
    (id_,) = shown_of_genes(twin, number)
    twin.now = datetime.now(UTC)
    item = {"card": id_, "outcome": "overridden", "outcomeTimestamp": twin.now.isoformat().replace("+00:00", "Z")}
    assert send(twin, item, service="twin-order-sign").status_code == 200
    assert shown_of_genes(twin, number) == []


@pytest.mark.databases
def test_a_card_overridden_since_the_last_right_answer_is_shown_again_once_the_engine_is_asked(sealed: Gateway) -> None:
    override(sealed, 0)
    right_until_now(sealed)
    override(sealed, 1)
    right = sealed.courier.way
    sealed.courier.way = lies_about_genes
    assert "wrong answer" in call(sealed, ORDERS[0][0], observations=(ORDERS[0][1],)).text
    sealed.courier.way = right
    lifted = quarantine(sealed, "lift")
    assert "shown again although they were overridden since reports are doubted: 1." in lifted
    assert shown_of_genes(sealed, 0) == []
    assert len(shown_of_genes(sealed, 1)) == 1
