from __future__ import annotations

import json
from typing import Any

import pytest

from fhirtwin.errors import FhirtwinError, Incorrect, TooLarge, Unprocessable
from fhirtwin.fhir import codec
from fhirtwin.fhir.patch import json_patch, patching


def patched(document: Any, *operations: dict[str, Any]) -> dict[str, Any]:
    sent = codec.decode_array(json.dumps(operations).encode(), max_depth=200)
    return json_patch.apply(json_patch.parse(sent), codec.decode(json.dumps(document).encode()))


def test_decimals_keep_their_digits_and_dates_their_offset() -> None:
    document = codec.decode(b'{"a": 0.010, "b": "2020-01-01T00:00:00+05:30", "c": [1]}')
    operations = json_patch.parse(codec.decode_array(b'[{"op": "add", "path": "/c/-", "value": 2.50}]'))
    assert codec.encode(json_patch.apply(operations, document)) == (
        b'{"a":0.010,"b":"2020-01-01T00:00:00+05:30","c":[1,2.50]}'
    )


@pytest.mark.parametrize(
    ("path", "value"), [("/t", 1), ("/one", True), ("/one", "1"), ("/text", 1), ("/none", False), ("/list", [1, 3])]
)
def test_a_test_tells_types_apart(path: str, value: Any) -> None:
    document = {"t": True, "one": 1, "text": "1", "none": None, "list": [1, 2]}
    with pytest.raises(Unprocessable):
        patched(document, {"op": "test", "path": path, "value": value})


def test_a_test_compares_numbers_by_value_and_objects_without_order() -> None:
    document = {"a": {"x": 1, "y": [2.0]}}
    assert patched(document, {"op": "test", "path": "/a", "value": {"y": [2], "x": 1.00}}) == document
    assert patched(document, {"op": "test", "path": "/a/x", "value": 1.0}) == document


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "remove", "path": "/x"},
        {"op": "remove", "path": "/a/3"},
        {"op": "remove", "path": "/a/-"},
        {"op": "remove", "path": ""},
        {"op": "replace", "path": "/x", "value": 1},
        {"op": "replace", "path": "", "value": []},
        {"op": "add", "path": "/a/4", "value": 1},
        {"op": "add", "path": "/a/01", "value": 1},
        {"op": "add", "path": "/a/+1", "value": 1},
        {"op": "add", "path": "/a/x", "value": 1},
        {"op": "add", "path": "/s/x", "value": 1},
        {"op": "copy", "from": "/x", "path": "/y"},
        {"op": "move", "from": "/a/3", "path": "/y"},
        {"op": "test", "path": "/x", "value": None},
    ],
)
def test_what_does_not_fit_the_document_is_refused(operation: dict[str, Any]) -> None:
    with pytest.raises(Unprocessable, match=r"Operation 0|no JSON object"):
        patched({"a": [1, 2, 3], "s": "text"}, operation)


@pytest.mark.parametrize(
    "operation",
    [
        7,
        {},
        {"op": "ADD", "path": "/x", "value": 1},
        {"op": "add", "path": "/x"},
        {"op": "test", "path": "/x"},
        {"op": "remove"},
        {"op": "remove", "path": "x"},
        {"op": "remove", "path": "/~2"},
        {"op": "remove", "path": 3},
        {"op": "move", "path": "/x"},
        {"op": "move", "from": "/a", "path": "/a/b"},
        {"op": "move", "from": "", "path": "/a"},
        {"op": ["add"], "path": "/x", "value": 1},
    ],
)
def test_what_is_no_operation_is_refused(operation: Any) -> None:
    with pytest.raises(Incorrect) as refused:
        json_patch.parse([operation])
    assert refused.value.status == 400


def test_a_value_may_be_null_and_the_whole_document_replaced() -> None:
    assert patched({"a": 1}, {"op": "add", "path": "/b", "value": None}) == {"a": 1, "b": None}
    assert patched({"a": 1}, {"op": "replace", "path": "", "value": {"b": 2}}) == {"b": 2}
    assert patched({"a": {"b": 1}}, {"op": "move", "from": "/a/b", "path": "/a/b"}) == {"a": {"b": 1}}


def test_what_was_added_twice_is_not_one_value() -> None:
    operation = {"op": "add", "path": "/a", "value": {"x": []}}
    again = {**operation, "path": "/b"}
    change = {"op": "add", "path": "/a/x/-", "value": 1}
    assert patched({}, operation, again, change) == {"a": {"x": [1]}, "b": {"x": []}}
    copied = {"op": "copy", "from": "/a", "path": "/b"}
    assert patched({"a": {"x": []}}, copied, change) == {"a": {"x": [1]}, "b": {"x": []}}


@pytest.mark.parametrize(
    "operations",
    [
        [{"op": "copy", "from": "/a", "path": "/a/-"}] * 60,
        [{"op": "copy", "from": "", "path": "/b"}] * 70,
        [{"op": "add", "path": "/a" + "/0" * deep, "value": [[]]} for deep in range(100)],
        [{"op": op, "path": "/a", "value": [0] * 10_000} for op in ("add", *["test"] * 100)],
        [{"op": "test", "path": "/a/0", "value": 1}] * (patching.MAX_OPERATIONS + 1),
    ],
    ids=["copies of copies", "the whole in itself", "deep", "long comparisons", "many"],
)
def test_a_patch_that_asks_for_too_much_is_refused(operations: list[dict[str, Any]]) -> None:
    with pytest.raises(TooLarge):
        patched({"a": [1]}, *operations)


@pytest.mark.parametrize("data", [b"", b"{}", b'[{"op":"test","op":"add"}]', b"[1e999]", b"[" * 70 + b"]" * 70, b'"x"'])
def test_a_body_that_is_no_array_is_refused(data: bytes) -> None:
    with pytest.raises(FhirtwinError) as refused:
        codec.decode_array(data)
    assert refused.value.status == 400
