"""Expected response: figures by hand, and what must hold for any comparison."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirtwin.errors import Unprocessable
from fhirtwin.pgx.response import cautions, evidence, linear, side_by_side
from fhirtwin.pgx.response.compare import Candidate, Comparison, compare
from fhirtwin.pgx.response.evidence import Baseline
from fhirtwin.terms.drugs.ingredients import CODES

DRUGS = evidence.known("depression")
SCHIZOPHRENIA = evidence.known("schizophrenia")
shares = st.floats(0.01, 0.97)


def _one(drug: str, setting: str = "depression", step: int = 1, **more: object) -> Candidate:
    told = compare([drug], setting, step, **more)  # type: ignore[arg-type]
    return (*told.ranked, *told.without)[0]


def _rate(odds: float) -> float:
    return odds / (1 + odds)


@pytest.mark.parametrize(
    ("drug", "setting", "step", "odds"),
    [
        ("amitriptyline", "depression", 1, 0.375 / 0.625 * 2.13),
        ("Reboxetine ", "depression", 1, 0.375 / 0.625 * 1.37),
        ("escitalopram", "depression", 1, 0.375 / 0.625 * math.exp(0.30 * 1.8138)),
        ("escitalopram", "depression", 3, 0.6 * math.exp(0.30 * 1.8138) * (0.137 / 0.863) / (0.368 / 0.632)),
        ("amitriptyline", "depression", 4, 0.6 * 2.13 * (0.130 / 0.870) / (0.368 / 0.632)),
        ("olanzapine", "schizophrenia", 1, 0.30 / 0.70 * math.exp(0.59 * 1.8138)),
        ("aripiprazole", "schizophrenia", 1, 0.30 / 0.70 * math.exp(0.47 * 1.8138)),
    ],
)
def test_response_by_hand(drug: str, setting: str, step: int, odds: float) -> None:
    told = _one(drug, setting, step).response
    assert told is not None and told.probability == pytest.approx(_rate(odds), abs=1e-4)


@pytest.mark.parametrize(
    ("drug", "odds"),
    [("agomelatine", 0.84), ("fluoxetine", 0.88), ("clomipramine", 1.30), ("sertraline", math.sqrt(0.84 * 1.30))],
)
def test_discontinuation_by_hand(drug: str, odds: float) -> None:
    told = _one(drug).discontinuation
    assert told is not None and told.probability == pytest.approx(_rate(0.25 / 0.75 * odds))


def test_the_interval_by_hand() -> None:
    told = _one("amitriptyline").response
    assert told is not None
    placebo = (math.log(0.40 / 0.60) - math.log(0.35 / 0.65)) / 3.92
    drug = (math.log(2.41) - math.log(1.89)) / 3.92
    assert told.figure.error == pytest.approx(math.hypot(placebo, drug), rel=1e-4)
    assert told.interval == pytest.approx((0.5209, 0.6004), abs=1e-4)


def test_a_step_adds_the_error_of_both_shares() -> None:
    told = _one("amitriptyline", step=2).response
    assert told is not None
    step = told.terms[-1].figure
    assert step.value == pytest.approx(math.log(0.306 / 0.694) - math.log(0.368 / 0.632))
    assert step.error == pytest.approx(math.sqrt(1 / (123 * 0.306 * 0.694) + 1 / (3671 * 0.368 * 0.632)))


def test_a_drug_known_by_its_group_is_less_certain_than_one_known_itself() -> None:
    group, own = _one("sertraline").response, _one("amitriptyline").response
    assert group is not None and own is not None and group.figure.error > own.figure.error
    drug = group.terms[1]
    assert math.exp(drug.figure.low) < 1.38 and math.exp(drug.figure.high) > 2.12
    assert "the drug's own figure was not read" in drug.note


def test_the_placebo_share_and_the_odds_ratio_give_what_a_review_counted() -> None:
    """Leucht 2017 counted 51 % on antipsychotics against 30 % on placebo, beside the difference of 0.47."""
    told = _one("chlorpromazine", "schizophrenia").response
    assert told is not None and told.probability == pytest.approx(0.51, abs=0.015)


def test_ranked_by_response_and_those_alike_are_named() -> None:
    told = compare(["reboxetine", "amitriptyline", "sertraline", "paroxetine"])
    assert [one.drug for one in told.ranked] == ["amitriptyline", "paroxetine", "sertraline", "reboxetine"]
    like = {one.drug: one.like for one in told.ranked}
    assert like["amitriptyline"] == ("paroxetine", "sertraline")
    assert "amitriptyline" not in like["reboxetine"] and "sertraline" in like["paroxetine"]
    antipsychotics = compare(["clozapine", "haloperidol", "quetiapine"], "schizophrenia").ranked
    assert {one.drug: one.like for one in antipsychotics}["clozapine"] == ()


def test_what_two_drugs_share_does_not_make_them_alike() -> None:
    wide = Baseline(0.375, 0.05, 0.9, "", "x")
    told = compare(["amitriptyline", "reboxetine"], step=4, baselines={"response": wide})
    assert [one.like for one in told.ranked] == [(), ()]


def test_drugs_without_evidence_are_listed_with_the_reason() -> None:
    told = compare(["Clopidogrel", "codeine", "sertraline", "haloperidol"])
    assert [one.drug for one in told.ranked] == ["sertraline"]
    assert [one.drug for one in told.without] == ["clopidogrel", "codeine", "haloperidol"]
    assert "no evidence here: response in depression, treatment step 1" in told.without[0].no_evidence
    assert _one("olanzapine", "schizophrenia").no_evidence == (
        "no evidence here: discontinuation in schizophrenia, treatment step 1",
    )


def test_nothing_is_told_of_later_steps_in_schizophrenia() -> None:
    told = _one("clozapine", "schizophrenia", 2)
    assert told.response is None and told.no_evidence


def test_terms_that_are_not_added_are_named() -> None:
    told = _one("escitalopram", step=2)
    assert told.response is not None and [one.name for one in told.response.missing] == ["exposure"]
    assert told.discontinuation is not None
    assert [one.name for one in told.discontinuation.missing] == ["exposure", "treatment step"]
    assert all(one.reason for one in (*told.response.missing, *told.discontinuation.missing))


def test_a_contraindicated_drug_comes_last_and_is_not_dropped() -> None:
    told = compare(["bupropion", "reboxetine"], conditions={"seizure disorder": True, "eating disorder": False})
    assert [one.drug for one in told.ranked] == ["reboxetine", "bupropion"]
    last = told.ranked[-1]
    assert last.contraindicated and [one.condition for one in last.met] == ["seizure disorder"]
    assert [one.condition for one in last.unasked] == ["withdrawal of alcohol or sedatives"]


def test_every_antipsychotic_carries_the_warning_of_its_class() -> None:
    for one in compare(SCHIZOPHRENIA, "schizophrenia", conditions={"dementia": True}).ranked:
        assert "boxed warning" in [caution.strength for caution in one.met] and not one.contraindicated
    assert not _one("sertraline", "schizophrenia", conditions={"dementia": True}).met
    assert not _one("sertraline", conditions={"dementia": True}).met


def test_a_hospitals_own_count_replaces_the_published_one() -> None:
    told = _one("amitriptyline", baselines={"response": Baseline(0.2, 0.1, 0.3, "our ward", "ward register 2025")})
    assert told.response is not None and told.response.probability == pytest.approx(_rate(0.25 * 2.13))
    assert told.response.terms[0].doi == "ward register 2025"
    assert told.discontinuation is not None and told.discontinuation.probability == _dropout("amitriptyline")


def _dropout(drug: str) -> float:
    told = _one(drug).discontinuation
    assert told is not None
    return told.probability


@pytest.mark.parametrize(
    "wrong",
    [
        {"drugs": []},
        {"drugs": [" "]},
        {"drugs": [f"drug {number}" for number in range(101)]},
        {"setting": "mania"},
        {"step": 0},
        {"step": 5},
        {"conditions": {"epilepsy": True}},
        {"baselines": {"response": Baseline(0.0, 0.0, 0.1, "", "x")}},
        {"baselines": {"response": Baseline(0.5, 0.6, 0.7, "", "x")}},
        {"baselines": {"response": Baseline(0.5, 0.4, math.nan, "", "x")}},
        {"baselines": {"response": Baseline(0.5, 0.4, 0.6, "", "")}},
        {"baselines": {"remission": Baseline(0.5, 0.4, 0.6, "", "x")}},
    ],
)
def test_what_is_not_known_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(Unprocessable):
        compare(**({"drugs": ["sertraline"]} | wrong))  # type: ignore[arg-type]


def test_the_statement_claims_no_accuracy() -> None:
    assert "no accuracy was measured" in compare(["sertraline"]).statement


def test_side_by_side() -> None:
    header, first, second, third = side_by_side.rows(
        compare(["bupropion", "lithium", "amitriptyline"], conditions={"recent myocardial infarction": True})
    )
    assert len(header) == len(first) == len(second) == len(third) and third[1:3] == ("no evidence here",) * 2
    assert first[:3] == ("amitriptyline", "56% (52% to 60%)", "26% (21% to 31%)") and first[5] == "bupropion"
    assert first[4] == "not recommended: recent myocardial infarction"
    assert second[3] == "nausea 11 %" and "not known: eating disorder" in second[4]


def test_ingredients_carry_their_code() -> None:
    assert _one("sertraline").rxnorm == CODES["sertraline"] == "36437"
    assert _one("agomelatine").rxnorm == ""


@given(
    st.lists(st.sampled_from([*DRUGS, "lithium", "codeine"]), min_size=1), st.sampled_from(evidence.STEPS), st.data()
)
def test_order_and_company_change_no_figure(drugs: list[str], step: int, data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(drugs))
    told = compare(drugs, step=step)
    assert told == compare([*shuffled, *shuffled], step=step)
    assert _names(told) == sorted(set(drugs))
    for one in told.ranked:
        assert one.response == _one(one.drug, step=step).response


def _names(told: Comparison) -> list[str]:
    return sorted(one.drug for one in (*told.ranked, *told.without))


@given(st.sampled_from(DRUGS), st.sampled_from(evidence.STEPS), shares, st.floats(0, 0.02), st.floats(0, 0.02))
def test_intervals_hold_their_estimate(drug: str, step: int, rate: float, below: float, above: float) -> None:
    baseline = Baseline(rate, max(rate - below, 0.005), rate + above, "", "x")
    told = _one(drug, step=step, baselines={"response": baseline, "discontinuation": baseline})
    for one in (told.response, told.discontinuation):
        assert one is not None
        low, high = one.interval
        assert 0 < low < one.probability < high < 1
        for term in one.terms:
            assert term.figure.low <= term.figure.value <= term.figure.high


@given(st.sampled_from(DRUGS), shares, shares)
def test_more_on_placebo_is_more_on_the_drug_and_later_is_less(drug: str, one: float, other: float) -> None:
    low, high = sorted((one, other))
    found = [
        _one(drug, step=step, baselines={"response": Baseline(rate, rate, rate, "", "x")}).response
        for rate, step in ((low, 1), (high, 1), (high, 2), (high, 3), (high, 4))
    ]
    numbers = [each.probability for each in found if each]
    assert numbers[0] <= numbers[1] and numbers[1:] == sorted(numbers[1:], reverse=True)


@given(st.sampled_from(evidence.SETTINGS), st.sampled_from(evidence.OUTCOMES), st.sampled_from(evidence.STEPS), shares)
def test_linear_rows_give_the_same(setting: str, outcome: str, step: int, rate: float) -> None:
    baseline = Baseline(rate, rate, rate, "", "x")
    told = compare([*DRUGS, *SCHIZOPHRENIA], setting, step, baselines={outcome: baseline})
    plain = {one.drug: getattr(one, outcome) for one in (*told.ranked, *told.without)}
    rows = linear.linear_rows(plain, setting, outcome)
    if step > 1 and (setting, outcome) == ("schizophrenia", "response"):
        with pytest.raises(Unprocessable, match="depression alone"):
            linear.features(setting, outcome, step, baseline)
        return
    values = linear.features(setting, outcome, step, baseline)
    assert [row.drug for row in rows] == [drug for drug in sorted(plain) if plain[drug]]
    for row in rows:
        assert linear.evaluate(row, values) == pytest.approx(plain[row.drug].probability, rel=1e-12)
        assert len(row.weights) == len(values) == len(linear.FEATURES)


@pytest.mark.parametrize(("setting", "outcome"), [("mania", "response"), ("depression", "remission")])
def test_linear_rows_of_what_is_not_known_are_refused(setting: str, outcome: str) -> None:
    with pytest.raises(Unprocessable):
        linear.linear_rows(DRUGS, setting, outcome)
    with pytest.raises(Unprocessable):
        linear.features(setting, outcome)


def test_conditions_are_those_of_the_cautions() -> None:
    assert "long QT" in cautions.conditions() and len(cautions.conditions()) == 9
