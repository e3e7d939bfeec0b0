"""What holds of every patch."""

from __future__ import annotations

import copy
from contextlib import suppress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fhirtwin.errors import Incorrect
from fhirtwin.fhir.patch import element_path, fhirpath_patch, json_patch
from tests.fhir.patch.test_fhirpath_patch import operation

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["", "a", "/", "~"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "/", "~1", ""]), inner, max_size=3)
    ),
    max_leaves=8,
)
POINTERS = st.lists(st.sampled_from(["a", "b", "0", "1", "-", "~1", "~01", ""]), max_size=3).map(
    lambda parts: "".join(f"/{part}" for part in parts)
)
OPERATIONS = st.lists(
    st.fixed_dictionaries(
        {
            "op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test"]),
            "path": POINTERS,
            "from": POINTERS,
            "value": VALUES,
        }
    ),
    max_size=5,
)
GIVEN = st.lists(st.sampled_from(["Anna", "Maria", "Eva"]), min_size=1, max_size=4)


@given(VALUES, OPERATIONS)
def test_a_json_patch_is_applied_or_refused(value: Any, operations: list[dict[str, Any]]) -> None:
    document = {"a": value}
    with suppress(Incorrect):
        patched = json_patch.apply(json_patch.parse(operations), copy.deepcopy(document))
        again = json_patch.apply(json_patch.parse(operations), copy.deepcopy(document))
        assert patched == again
        test = [{"op": "test", "path": "", "value": patched}]
        assert json_patch.apply(json_patch.parse(test), patched) == again


@given(st.text(alphabet="Patient.name()[]=!'\\$this @0andorwhere", max_size=60))
def test_any_text_is_a_path_or_is_refused(text: str) -> None:
    with suppress(Incorrect):
        assert element_path.parse(text, "Patient").text == text


@given(GIVEN, st.data())
def test_what_is_moved_and_moved_back_is_as_before(names: list[str], data: st.DataObject) -> None:
    index = st.integers(0, len(names) - 1)
    source, destination = data.draw(index), data.draw(index)
    moved = patched(names, operation("move", "Patient.name.given", source=source, destination=destination))
    expected = [*names[:source], *names[source + 1 :]]
    expected.insert(destination, names[source])
    assert moved == expected
    assert patched(moved, operation("move", "Patient.name.given", source=destination, destination=source)) == names


@given(GIVEN, st.data())
def test_what_is_inserted_and_deleted_is_as_before(names: list[str], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(names)))
    insert = operation("insert", "Patient.name.given", index=index, value={"valueString": "x"})
    assert patched(names, insert, operation("delete", f"Patient.name.given[{index}]")) == names


def patched(names: list[str], *operations: dict[str, Any]) -> list[str]:
    parsed = fhirpath_patch.parse({"parameter": list(operations)})
    given_: list[str] = fhirpath_patch.apply(parsed, {"resourceType": "Patient", "name": [{"given": names.copy()}]})[
        "name"
    ][0]["given"]
    return given_
