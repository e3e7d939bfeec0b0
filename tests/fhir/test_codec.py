from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirtwin.errors import Incorrect
from fhirtwin.fhir import codec, json_faults
from tests.cost import growth


def refusal(data: bytes, **limits: int) -> Incorrect:
    with pytest.raises(Incorrect) as caught:
        codec.decode(data, **limits)
    return caught.value


def test_numbers_keep_every_digit_both_ways() -> None:
    data = b'{"a":0.010,"b":1.00,"c":-0.0,"d":100,"e":7.3E-5}'
    value = codec.decode(data)
    assert value["a"] == Decimal("0.01")
    assert isinstance(value["d"], int)
    assert codec.encode(value) == data.replace(b"7.3E-5", b"0.000073")


def test_an_exponent_stays_an_exponent() -> None:
    assert codec.encode(codec.decode(b'{"a":1E2}')) == b'{"a":1E+2}'


@pytest.mark.parametrize(
    "number",
    ["1e2000000", "1e309", "1e-309", "1.2345678901234567891", "1234567890123456789", "9" * 5000, "0." + "0" * 40 + "1"],
)
def test_a_number_beyond_all_measure_is_refused_with_its_path(number: str) -> None:
    data = f'{{"resourceType":"Observation","component":[{{}},{{"valueQuantity":{{"value":{number}}}}}]}}'.encode()
    error = refusal(data)
    assert error.issues[0].expression == ("Observation.component[1].valueQuantity.value",)
    assert "18 significant digits" in str(error)
    assert number not in str(error)


@pytest.mark.parametrize(
    "number", ["1e308", "1e-308", "123456789012345678", "1000000000000000000", "0.30000000000000004"]
)
def test_a_number_just_within_the_limits_is_read_exactly(number: str) -> None:
    assert codec.decode(f'{{"a":{number}}}'.encode())["a"] == Decimal(number)


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b'{"resourceType":"Patient","name":[{"family":"a","family":"b"}]}', "Patient.name[0].family"),
        (b'{"resourceType":"Patient","id":"a",  "\\u0069d" : "b"}', "Patient.id"),
        (b'{"a":[{"b":{}},{"b":{"c":1,"c":1}}]}', "Resource.a[1].b.c"),
        (b'{"a\\u0022:":1,"b":2,"b":3}', "Resource.b"),
        (b'{"a":"\\":","b":{"\\":x":1,"\\":x":2}}', "Resource.b.?"),
    ],
)
def test_a_name_that_stands_twice_is_refused_with_its_path(data: bytes, place: str) -> None:
    error = refusal(data)
    assert error.issues[0].expression == (place,)
    assert "twice" in str(error)


@pytest.mark.parametrize(
    "data", [b'{"a":{"x":1},"b":{"x":1}}', b'{"a":"\\":\\":","b" \n: {"\\":":1}}', b'{"a":[{"b":1},{"b":1}]}']
)
def test_the_same_name_in_different_objects_and_quotes_in_strings_are_no_duplicates(data: bytes) -> None:
    assert codec.decode(data) == json.loads(data)


names = st.sampled_from(["a", "b", '":', '\\":', "é"])
trees = st.recursive(
    st.sampled_from([1, "x", '":', None, True]),
    lambda inner: st.lists(inner, max_size=3) | st.lists(st.tuples(names, inner), max_size=4).map(tuple),
    max_leaves=12,
)


def written(tree: object) -> str:
    if isinstance(tree, tuple):
        return "{" + ", ".join(f"{json.dumps(name)} : {written(value)}" for name, value in tree) + "}"
    if isinstance(tree, list):
        return "[" + ",".join(map(written, tree)) + "]"
    return json.dumps(tree)


def has_duplicate(tree: object) -> bool:
    if isinstance(tree, tuple):
        found = [name for name, _ in tree]
        return len(found) != len(set(found)) or any(has_duplicate(value) for _, value in tree)
    return isinstance(tree, list) and any(map(has_duplicate, tree))


@given(st.lists(st.tuples(names, trees), max_size=4).map(tuple))
def test_duplicates_are_found_exactly_where_there_are_some(tree: object) -> None:
    data = written(tree).encode()
    if has_duplicate(tree):
        assert "twice" in str(refusal(data))
    else:
        assert codec.decode(data) == json.loads(data)


def test_nesting_is_refused_beyond_the_limit_and_read_up_to_it() -> None:
    deep = b'{"a":' * 64 + b"1" + b"}" * 64
    codec.decode(deep)
    error = refusal(b'{"a":' + deep + b"}")
    assert "deeper than 64 levels" in str(error)
    assert error.issues[0].expression == ("Resource" + ".a" * 64,)
    assert "deeper than 3 levels" in str(refusal(b'{"a":[[[1]]]}', max_depth=3))
    assert "nested" in str(refusal(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b'{"a":', "ends too early (byte 5)"),
        (b'{"a":tru}', "invalid character (byte "),
        (b'{"a":1}{', "trailing"),
        (b'{"a":NaN}', "(byte 5)"),
        (b'{"a":Infinity}', "(byte 5)"),
        (b'{"a":-Infinity}', "invalid"),
        (b'{"a":01}', "invalid"),
        (b"{'a':1}", "(byte 1)"),
        (b'{"a":"\x01"}', "(byte 6)"),
        (b'{"a":"\xff"}', "not UTF-8 (byte 6)"),
        (b'{"a":"\xed\xa0\x80"}', "not UTF-8 (byte 6)"),
        (b'{"a":"\\ud800"}', "surrogate pair stands alone (byte 6)"),
        (b'{"a":"\\ud83d\\ude00 \\ude00"}', "surrogate pair stands alone (byte 19)"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        ('{"a":1}'.encode("utf-16"), "not UTF-8"),
        (b"[1]", "one JSON object"),
        (b'"text"', "one JSON object"),
        (b"1", "one JSON object"),
        (b"null", "one JSON object"),
    ],
)
def test_what_is_no_json_object_is_refused_in_words(data: bytes, says: str) -> None:
    assert says in str(refusal(data))


def test_the_character_nul_is_refused_but_not_the_text_that_looks_like_it() -> None:
    error = refusal(b'{"resourceType":"Patient","name":[{"family":"a\\u0000b"}]}')
    assert "U+0000" in str(error)
    assert error.issues[0].expression == ("Patient.name[0].family",)
    assert codec.decode(b'{"a":"\\\\u0000"}') == {"a": "\\u0000"}


def test_no_refusal_repeats_content() -> None:
    for data in (b'{"Miller, Ann":1,"Miller, Ann":2}', b'{"a":{"Miller, Ann":1e999}}', b'{"a":"Miller\xff"}'):
        assert "Miller" not in str(refusal(data))


def test_what_is_no_json_number_is_no_right_number() -> None:
    assert not any(map(json_faults.number_is_right, ["", "NaN", "1.", ".5", "0x1", "1e", "--1"]))


def test_looking_for_the_place_of_a_fault_ends_after_a_bounded_number_of_symbols() -> None:
    def refused(symbols: int) -> None:
        assert "beyond the first" in str(refusal(b'{"a":[' + b"1," * symbols + b"1e999]}"))

    assert growth(refused, json_faults.MAX_READ, times=4) < 2
