import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirtwin.errors import Incorrect
from fhirtwin.twin.state import Fact, PatientKey, Source, TwinState, Unused
from fhirtwin.twin.state_json import fact_from_json, fact_to_json, from_json, to_json

words = st.text(max_size=12)
sources = st.builds(Source, words, words, words, words)
values = st.one_of(st.booleans(), words, st.decimals(allow_nan=False, allow_infinity=False))
facts = st.builds(
    Fact,
    name=words,
    value=values,
    sources=st.lists(sources, min_size=1, max_size=3).map(tuple),
    unit=words,
    time=words,
    end=words,
    active=st.booleans(),
    system=words,
    code=words,
    display=words,
    note=words,
)
states = st.builds(
    TwinState,
    patient=st.builds(PatientKey, words, words),
    version=st.integers(0, 10**6),
    facts=st.lists(facts, max_size=4).map(tuple),
    lists=st.frozensets(words, max_size=3),
    unused=st.lists(st.builds(Unused, sources, words), max_size=3).map(tuple),
    reference=words,
)


@given(states)
def test_twin_comes_back_from_json_as_it_was(state: TwinState) -> None:
    assert from_json(json.loads(json.dumps(to_json(state)))) == state


@given(facts)
def test_fact_comes_back_with_every_digit(fact: Fact) -> None:
    back = fact_from_json(json.loads(json.dumps(fact_to_json(fact))))
    assert back == fact
    assert str(back.value) == str(fact.value)
    assert type(back.value) is type(fact.value)


def test_json_of_a_fact_is_short_and_plain() -> None:
    fact = Fact("creatinine", Decimal("0.010"), (Source("", "Observation", "1", "2"),), unit="mg/dL", time="2024-03-01")
    assert fact_to_json(fact) == {
        "name": "creatinine",
        "value": {"decimal": "0.010"},
        "sources": [{"origin": "", "type": "Observation", "id": "1", "version": "2"}],
        "unit": "mg/dL",
        "time": "2024-03-01",
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"name": "bmi", "value": {"decimal": "much"}, "sources": []},
        {"name": "bmi", "value": {}, "sources": []},
        {"name": "bmi", "value": {"flag": True}, "sources": [{}]},
        {"name": "bmi", "value": 3, "sources": []},
    ],
)
def test_json_that_is_no_fact_is_refused(wrong: dict) -> None:
    with pytest.raises(Incorrect, match="not a fact"):
        fact_from_json(wrong)


def test_json_that_is_no_twin_is_refused() -> None:
    with pytest.raises(Incorrect, match="not a twin"):
        from_json({"patient": {"origin": "", "id": "1"}})
