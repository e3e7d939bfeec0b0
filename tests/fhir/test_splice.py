from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirtwin.errors import Incorrect
from fhirtwin.fhir import codec
from fhirtwin.fhir.splice import entries, splice

STAMP = {"id": "n-1", "version": 3, "last_updated": "2024-05-01T10:00:00.000Z"}
META = b'"versionId":"3","lastUpdated":"2024-05-01T10:00:00.000Z"'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'{"resourceType":"Patient"}', b'{"resourceType":"Patient","id":"n-1","meta":{' + META + b"}}"),
        (
            b' {\n\t"resourceType" : "Patient" ,\r\n "active":true }\n',
            b' {\n\t"resourceType" : "Patient","id":"n-1","meta":{' + META + b'} ,\r\n "active":true }\n',
        ),
        (
            b'{"gender":"male","meta":{"tag":[{"code":"t"}],"versionId" : "9" },"resourceType":"Patient","id":"old"}',
            b'{"gender":"male","meta":{"lastUpdated":"2024-05-01T10:00:00.000Z","tag":[{"code":"t"}],'
            b'"versionId" : "3" },"resourceType":"Patient","id":"n-1"}',
        ),
        (
            b'{"meta":{"lastUpdated":"x","versionId":"y"},"i\\u0064":"old","resourceType":"Patient"}',
            b'{"meta":{"lastUpdated":"2024-05-01T10:00:00.000Z","versionId":"3"},"i\\u0064":"n-1","resourceType":"Patient"}',
        ),
        (b'{"meta": { },"id":"a","resourceType":"X"}', b'{"meta": {' + META + b' },"id":"n-1","resourceType":"X"}'),
    ],
)
def test_identity_is_written_and_nothing_else_moves(before: bytes, after: bytes) -> None:
    assert splice(before, **STAMP) == after


def test_ids_and_metas_inside_are_not_touched() -> None:
    inside = (
        b'"contained":[{"resourceType":"Patient","id":"c","meta":{"versionId":"1"}}],"extension":[{"id":"e","url":"u"}]'
    )
    data = b'{"resourceType":"Observation","id":"a","meta":{"versionId":"1","lastUpdated":"x"},' + inside + b"}"
    assert inside in splice(data, **STAMP)


def test_references_are_resolved_and_text_that_looks_like_one_is_not() -> None:
    data = (
        b'{"resourceType":"Observation","subject":{ "reference" : "urn:uuid:1" },'
        b'"note":[{"text":"\\"reference\\":\\"urn:uuid:1\\" urn:uuid:1"}],"performer":[{"display":"urn:uuid:1"},'
        b'{"\\u0072eference":"urn:uuid\\u003a1"},{"reference":"urn:uuid:2"}]}'
    )
    done = splice(data, **STAMP, references={"urn:uuid:1": "Patient/\u00e9"})
    assert done.count("Patient/é".encode()) == 2
    assert b'{ "reference" : "Patient/' in done
    assert b'"text":"\\"reference\\":\\"urn:uuid:1\\" urn:uuid:1"' in done
    assert b'{"display":"urn:uuid:1"}' in done
    assert b'{"reference":"urn:uuid:2"}' in done


@pytest.mark.parametrize(
    "data",
    [b"[]", b"{}", b'{"id":"a"}', b'{"resourceType":"Patient","meta":null}', b'{"resourceType":"Patient","meta":[]}'],
)
def test_what_is_no_resource_is_refused(data: bytes) -> None:
    with pytest.raises(Incorrect):
        splice(data, **STAMP)


@pytest.mark.parametrize("twice", [b'"a":1,"a":2', b'"a":[1],"a":2'])
def test_a_name_that_stands_twice_is_refused_rather_than_spliced_wrongly(twice: bytes) -> None:
    with pytest.raises(Incorrect, match="twice"):
        splice(b'{"resourceType":"Patient",' + twice + b',"id":"x"}', **STAMP)


# ---- the law: every byte is as before, but for identity and the named references ------------------------------------

Pair = tuple[str, str]
"""JSON text, and the same text as it must come out."""

space = st.text(" \t\r\n", max_size=2)
numbers = st.sampled_from(["0.010", "1E2", "-0", "1e-7", "100.00", "true", "null"])
words = st.sampled_from(["reference", "id", "meta", "versionId", "urn:uuid:1", 'a"b\\', "\u00e9", "x", "}{", '":"'])


@st.composite
def strings(draw: st.DrawFn, texts: st.SearchStrategy[str] = words) -> str:
    """A JSON string, some of its characters escaped without need."""
    return '"' + "".join(f"\\u{ord(c):04x}" if draw(st.booleans()) else json.dumps(c)[1:-1] for c in draw(texts)) + '"'


@st.composite
def containers(draw: st.DrawFn, items: list[tuple[str, Pair]], brackets: str) -> Pair:
    before, after = [], []
    for name, (old, new) in items:
        spaces = [draw(space) for _ in range(4)]
        left = f"{spaces[0]}{name}{spaces[1]}:{spaces[2]}" if brackets == "{}" else spaces[0]
        before.append(left + old + spaces[3])
        after.append(left + new + spaces[3])
    end = draw(space)
    return (
        brackets[0] + ",".join(before) + end + brackets[1],
        brackets[0] + ",".join(after) + end + brackets[1],
    )


@st.composite
def objects(draw: st.DrawFn, values: st.SearchStrategy[Pair], known: tuple[tuple[str, Pair], ...] = ()) -> Pair:
    """An object with the members `known` and others, in any order; a `reference` to urn:uuid:1 is resolved."""
    items = list(known)
    taken = {json.loads(name) for name, _ in known} | {"id", "meta", "versionId"} if known else set()
    for name in draw(st.lists(strings(), max_size=4)):
        old, new = draw(values)
        if json.loads(name) not in taken:
            taken.add(json.loads(name))
            is_named = json.loads(name) == "reference" and old.startswith('"') and json.loads(old) == "urn:uuid:1"
            items.append((name, (old, '"Patient/9"' if is_named else new)))
    return draw(containers(draw(st.permutations(items)), "{}"))


@st.composite
def arrays(draw: st.DrawFn, values: st.SearchStrategy[Pair]) -> Pair:
    return draw(containers([("", pair) for pair in draw(st.lists(values, max_size=3))], "[]"))


values = st.recursive(
    (strings() | numbers).map(lambda text: (text, text)),
    lambda inner: objects(inner) | arrays(inner),
    max_leaves=8,
)


@st.composite
def metas(draw: st.DrawFn) -> Pair:
    known, absent = [], []
    for name, new in (("versionId", '"3"'), ("lastUpdated", '"2024-05-01T10:00:00.000Z"')):
        if draw(st.booleans()):
            known.append((draw(strings(st.just(name))), (draw(strings()), new)))
        else:
            absent.append(f'"{name}":{new}')
    tag = (('"tag"', draw(values)),) if draw(st.booleans()) else ()
    old, new = draw(objects(values, (*known, *tag))) if known or tag else ("{ }", "{ }")
    put_in = ",".join(absent) + ("," if absent and (known or tag) else "")
    return old, "{" + put_in + new[1:]


@st.composite
def resources(draw: st.DrawFn) -> tuple[bytes, bytes]:
    known, absent = [], ""
    if draw(st.booleans()):
        known.append((draw(strings(st.just("id"))), (draw(strings()), '"n-1"')))
    else:
        absent += ',"id":"n-1"'
    if draw(st.booleans()):
        known.append((draw(strings(st.just("meta"))), draw(metas())))
    else:
        absent += ',"meta":{' + META.decode() + "}"
    known.append((draw(strings(st.just("resourceType"))), ('"Patient"', '"Patient"' + absent)))
    before, after = draw(objects(values, tuple(known)))
    around = draw(space)
    return (around + before + around).encode(), (around + after + around).encode()


@given(resources())
def test_every_byte_stays_but_for_identity_and_references(pair: tuple[bytes, bytes]) -> None:
    before, after = pair
    codec.decode(before)
    done = splice(before, **STAMP, references={"urn:uuid:1": "Patient/9"})
    assert done == after
    assert splice(done, **STAMP) == done
    read = codec.decode(done)
    assert (read["id"], read["meta"]["versionId"], read["meta"]["lastUpdated"]) == ("n-1", "3", STAMP["last_updated"])


# ---- bundles -------------------------------------------------------------------------------------------------------


def test_entries_keep_their_bytes_and_positions() -> None:
    data = (
        b'{"resourceType":"Bundle","entry":[{"resource": {"a": 0.010 , "b":[ ] } , "fullUrl":"x"},'
        b'{"request":{"method":"DELETE"}},{"resource":{}}]}'
    )
    assert entries(data) == [b'{"a": 0.010 , "b":[ ] }', None, b"{}"]
    assert entries(b'{"resourceType":"Bundle"}') == []


def test_entries_of_a_wrong_shape_are_refused() -> None:
    with pytest.raises(Incorrect, match="array"):
        entries(b'{"resourceType":"Bundle","entry":{"resource":{}}}')


def test_official_examples_keep_their_bytes(shared: Path) -> None:
    for path in sorted((shared / "data/fhir/dev/examples").glob("*.json")):
        data = path.read_bytes()
        before, done = codec.decode(data), codec.decode(splice(data, **STAMP))
        assert done.pop("meta") == {**before.pop("meta", {}), "versionId": "3", "lastUpdated": STAMP["last_updated"]}
        assert done.pop("id") == "n-1"
        before.pop("id", None)
        assert codec.encode(done) == codec.encode(before), path.name
