"""The MeasureReport of alert burden: valid R4, as its Measure says, and of what was counted."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from flask.testing import FlaskClient

from fhirtwin.access import OPEN, Caller
from fhirtwin.errors import Forbidden
from fhirtwin.fhir import codec
from fhirtwin.fhir.validator import validate
from fhirtwin.interactions import invoke
from fhirtwin.interactions.context import Services
from fhirtwin.report import alert_burden
from fhirtwin.store.advice import CallCount, OutcomeCount
from tests import parts
from tests.conftest import ROOT

pytestmark = pytest.mark.databases

JUNE = "periodStart=2026-06-01&periodEnd=2026-06-30"
LATER = ("http://reasons.example", "later")
MEASURE = codec.decode((ROOT / "profiles" / "Measure-alert-burden.json").read_bytes())


@pytest.fixture
def counted(services: Services) -> Services:
    """A month of two services, and a day before it."""
    with services.store.note() as advice:
        advice.count_call(CallCount("a", "2026-05-31", answered=100, silent=100))
        advice.count_call(CallCount("a", "2026-06-01", answered=3, silent=1, cards=4, quietened=1, refused=1))
        advice.count_call(CallCount("b", "2026-06-30", answered=1, silent=1, failed=2))
        advice.count_outcomes(
            [
                OutcomeCount("a", "2026-06-02", "accepted", ("", ""), 1),
                OutcomeCount("a", "2026-06-02", "overridden", ("", ""), 1),
                OutcomeCount("a", "2026-06-03", "overridden", LATER, 2),
            ]
        )
    return services


def report(client: FlaskClient, query: str = JUNE, path: str = "Measure/alert-burden") -> dict[str, Any]:
    answer = client.get(f"/fhir/{path}/$evaluate-measure?{query}")
    assert answer.status_code == 200, answer.text
    return codec.decode(answer.data)


def code(holder: dict[str, Any]) -> str:
    return str(holder["code"]["coding"][0]["code"])


def figures(of: dict[str, Any]) -> tuple[int, int, Decimal | None]:
    """Numerator, denominator and score."""
    counts = {code(population): population["count"] for population in of["population"]}
    return counts["numerator"], counts["denominator"], of.get("measureScore", {}).get("value")


def groups(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {code(group): group for group in found["group"]}


def test_the_report_is_valid_and_of_the_measure_that_can_be_read(client: FlaskClient, counted: Services) -> None:
    found = report(client)
    assert validate(found) == []
    measure = codec.decode(client.get("/fhir/Measure/alert-burden").data)
    assert found["measure"] == f"{measure['url']}|{measure['version']}"
    assert (found["type"], found["status"]) == ("summary", "complete")
    assert found["period"] == {"start": "2026-06-01", "end": "2026-06-30"}


def test_groups_populations_and_strata_are_those_of_the_measure(client: FlaskClient, counted: Services) -> None:
    found, declared = groups(report(client)), groups(MEASURE)
    assert list(found) == list(declared)
    for name, group in found.items():
        assert [code(one) for one in group["population"]] == [code(one) for one in declared[name]["population"]]
        of_measure = [
            [code(part) for part in one["component"]] if "component" in one else [code(one)]
            for one in declared[name]["stratifier"]
        ]
        assert [[one["coding"][0]["code"] for one in s["code"]] for s in group["stratifier"]] == of_measure


def test_codes_are_those_of_the_code_system() -> None:
    system = codec.decode((ROOT / "profiles" / "CodeSystem-alert-burden.json").read_bytes())
    assert {one["code"] for one in system["concept"]} == {*groups(MEASURE), "service", "override-reason"}
    assert (MEASURE["url"], MEASURE["version"]) == (alert_burden.URL, alert_burden.VERSION)


@pytest.mark.parametrize(
    ("group", "whole", "of_a"),
    [
        ("calls-without-card", (2, 4, Decimal("0.5")), (1, 3, Decimal("0.3333"))),
        ("cards-per-call", (4, 4, 1), (4, 3, Decimal("1.3333"))),
        ("cards-quietened", (1, 5, Decimal("0.2")), (1, 5, Decimal("0.2"))),
        ("cards-acted-upon", (4, 4, 1), (4, 4, 1)),
        ("cards-accepted", (1, 4, Decimal("0.25")), (1, 4, Decimal("0.25"))),
        ("cards-overridden", (3, 4, Decimal("0.75")), (3, 4, Decimal("0.75"))),
        ("calls-refused", (1, 7, Decimal("0.1429")), (1, 4, Decimal("0.25"))),
        ("calls-failed", (2, 7, Decimal("0.2857")), (0, 4, 0)),
    ],
)
def test_figures_are_counted_over_the_period(
    client: FlaskClient, counted: Services, group: str, whole: tuple[Any, ...], of_a: tuple[Any, ...]
) -> None:
    found = groups(report(client))[group]
    assert figures(found) == whole
    strata = {one["value"]["text"]: one for one in found["stratifier"][0]["stratum"]}
    assert figures(strata["a"]) == of_a
    assert set(strata) == {"a", "b"}


def test_a_figure_of_nothing_has_no_score(client: FlaskClient, counted: Services) -> None:
    strata = {one["value"]["text"]: one for one in groups(report(client))["cards-accepted"]["stratifier"][0]["stratum"]}
    assert figures(strata["b"]) == (0, 0, None)


def test_overrides_are_told_by_reason(client: FlaskClient, counted: Services) -> None:
    strata = groups(report(client))["cards-overridden"]["stratifier"][1]["stratum"]
    told = [(*(part["value"] for part in one["component"]), figures(one)) for one in strata]
    assert told == [
        ({"text": "a"}, {"text": "No reason of those offered"}, (1, 3, Decimal("0.3333"))),
        ({"text": "a"}, {"coding": [{"system": LATER[0], "code": LATER[1]}]}, (2, 3, Decimal("0.6667"))),
    ]


def test_a_server_that_was_never_called_reports_zeros(client: FlaskClient, services: Services) -> None:
    found = report(client)
    assert validate(found) == []
    assert {figures(group) for group in found["group"]} == {(0, 0, None)}


def test_a_period_may_be_as_long_as_its_dates_are_imprecise(client: FlaskClient, counted: Services) -> None:
    found = report(client, "periodStart=2026&periodEnd=2026")
    assert found["period"] == {"start": "2026-01-01", "end": "2026-12-31"}
    assert figures(groups(found)["calls-without-card"])[:2] == (102, 104)


@pytest.mark.parametrize("name", [alert_burden.URL, f"{alert_burden.URL}|0.1.0", "Measure/alert-burden"])
def test_the_type_takes_the_measure_by_its_url(client: FlaskClient, counted: Services, name: str) -> None:
    assert report(client, f"{JUNE}&measure={name}", "Measure")["group"] == report(client)["group"]


def test_it_takes_a_post(client: FlaskClient, counted: Services) -> None:
    given = [{"name": "periodStart", "valueDate": "2026-06-01"}, {"name": "periodEnd", "valueDate": "2026-06-30"}]
    sent = parts.body({"resourceType": "Parameters", "parameter": given})
    path = "/fhir/Measure/alert-burden/$evaluate-measure"
    answer = client.post(path, data=sent, content_type="application/fhir+json")
    assert codec.decode(answer.data)["group"] == report(client)["group"]


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("Measure/alert-burden", "periodStart=2026-06-01"),
        ("Measure/alert-burden", "periodStart=2026-06-02&periodEnd=2026-06-01"),
        ("Measure/alert-burden", "periodStart=yesterday&periodEnd=today"),
        ("Measure/alert-burden", f"{JUNE}&reportType=subject"),
        ("Measure/alert-burden", f"{JUNE}&subject=Patient/p"),
        ("Measure/another", JUNE),
        ("Measure", JUNE),
        ("Measure", f"{JUNE}&measure=http://x.test/Measure/y"),
    ],
)
def test_what_cannot_be_reported_is_refused(client: FlaskClient, services: Services, path: str, query: str) -> None:
    assert client.get(f"/fhir/{path}/$evaluate-measure?{query}").status_code == 400


@pytest.mark.parametrize(
    "caller",
    [Caller("app", OPEN.may, patients=frozenset({"p"})), Caller("x", OPEN.may, withheld=frozenset({("s", "c")}))],
)
def test_who_may_not_see_all_patients_sees_no_figures(counted: Services, caller: Caller) -> None:
    operation = invoke.find("Measure", "alert-burden", "evaluate-measure", "GET")
    pairs = [("periodStart", "2026"), ("periodEnd", "2026")]
    with pytest.raises(Forbidden):
        invoke.invoke(counted, caller, operation, "Measure", "alert-burden", "GET", pairs)


def test_a_stored_resource_takes_the_place_of_a_definition_of_ours(client: FlaskClient, services: Services) -> None:
    first = client.get("/fhir/Measure/alert-burden")
    assert (first.headers["ETag"], first.json["meta"]["versionId"]) == ('W/"1"', "1")
    theirs = {"resourceType": "Measure", "id": "alert-burden", "status": "draft"}
    sent = client.put("/fhir/Measure/alert-burden", data=parts.body(theirs), content_type="application/fhir+json")
    assert sent.status_code == 201
    assert client.get("/fhir/Measure/alert-burden").json["status"] == "draft"
    assert client.delete("/fhir/Measure/alert-burden").status_code in (200, 204)
    assert client.get("/fhir/Measure/alert-burden").status_code == 410
