"""Figures for monitoring: in Prometheus' format, of the database, for administrators."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from fhirtwin.access import LOCAL_TOKEN, Caller
from fhirtwin.store.advice import CallCount, OutcomeCount
from tests.gateway_in_process import Gateway, gateway

LINE = re.compile(r'(?P<name>[a-z_]+)\{(?P<labels>(?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)+)\} (?P<value>\d+)')


@pytest.fixture
def counted(tmp_path: Path) -> Iterator[Gateway]:
    made = gateway(tmp_path)
    with made.parts.store.note() as advice:
        advice.count_call(CallCount("a", "2026-06-01", answered=3, silent=1, cards=4, quietened=2, refused=5, failed=6))
        advice.count_call(CallCount("a", "2025-06-01", answered=1, cards=1))
        advice.count_outcomes(
            [
                OutcomeCount("a", "2026-06-01", "accepted", ("", ""), 7),
                OutcomeCount("a", "2026-06-01", "overridden", ("", ""), 8),
                OutcomeCount("a", "2026-06-01", "overridden", ("http://x.test", 'a"b\\c\nd'), 9),
            ]
        )
    yield made
    made.parts.store.close()


def samples(twin: Gateway) -> dict[str, int]:
    answer = twin.http.get("/metrics")
    assert answer.status_code == 200, answer.text
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.text.endswith("\n")
    found = {}
    for line in answer.text.splitlines():
        if not line.startswith(("# ", "fhirtwin_engine_")):
            sample = LINE.fullmatch(line)
            assert sample, line
            found[f"{sample['name']}{{{sample['labels']}}}"] = int(sample["value"])
    return found


def test_everything_that_was_counted_is_there(counted: Gateway) -> None:
    assert samples(counted) == {
        'fhirtwin_cds_calls_total{service="a",result="cards"}': 3,
        'fhirtwin_cds_calls_total{service="a",result="no_card"}': 1,
        'fhirtwin_cds_calls_total{service="a",result="refused"}': 5,
        'fhirtwin_cds_calls_total{service="a",result="failed"}': 6,
        'fhirtwin_cds_cards_total{service="a",shown="yes"}': 5,
        'fhirtwin_cds_cards_total{service="a",shown="no"}': 2,
        'fhirtwin_cds_feedback_total{service="a",outcome="accepted"}': 7,
        'fhirtwin_cds_feedback_total{service="a",outcome="overridden"}': 17,
        'fhirtwin_cds_override_reasons_total{service="a",system="",code=""}': 8,
        'fhirtwin_cds_override_reasons_total{service="a",system="http://x.test",code="a\\"b\\\\c\\nd"}': 9,
    }


def test_each_counter_is_described_and_on_its_page(counted: Gateway) -> None:
    page = (Path(__file__).parents[2] / "docs" / "api" / "metrics.md").read_text()
    text = counted.http.get("/metrics").text
    named = {sample.partition("{")[0] for sample in samples(counted)}
    for name in named:
        assert f"# TYPE {name} counter" in text and f"# HELP {name} " in text
        assert f"| `{name}` |" in page


@pytest.mark.parametrize(("caller", "status"), [(LOCAL_TOKEN, 200), (Caller("ehr", LOCAL_TOKEN.may), 403)])
def test_they_are_for_who_runs_the_server(counted: Gateway, caller: Caller, status: int) -> None:
    counted.caller = caller
    assert counted.http.get("/metrics").status_code == status


def test_a_server_that_was_never_called_has_no_samples(tmp_path: Path) -> None:
    made = gateway(tmp_path)
    assert samples(made) == {}
    made.parts.store.close()


def test_the_engine_is_told_of_without_a_call(tmp_path: Path) -> None:
    made = gateway(tmp_path)
    lines = made.http.get("/metrics").text.splitlines()
    made.parts.store.close()
    assert [line for line in lines if line.startswith("fhirtwin_engine_")] == [
        'fhirtwin_engine_answers_total{probe="right"} 0',
        'fhirtwin_engine_answers_total{probe="wrong"} 0',
        "fhirtwin_engine_quarantined 0",
    ]
