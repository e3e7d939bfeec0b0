"""JSON Patch: operations on the JSON form of a resource, all of them or none.

Written here because the libraries at hand take `true` for 1, and let a few copies of copies fill the memory.

*Source*: RFC 6902; paths: RFC 6901; http://hl7.org/fhir/R4/http.html#patch.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from fhirtwin.errors import Incorrect, TooLarge
from fhirtwin.fhir.patch.patching import MAX_DEPTH, MAX_OPERATIONS, DoesNotApply, Work

_POINTER: Final = re.compile(r"(?:/(?:[^~/]|~[01])*)*")
_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,8}")
_WITH_VALUE: Final = frozenset({"add", "replace", "test"})
_WITH_FROM: Final = frozenset({"move", "copy"})
_NAMES: Final = _WITH_VALUE | _WITH_FROM | {"remove"}

Pointer = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation.

    Attributes:
        number: its position in the patch, for the text of an error.
        op: `add`, `remove`, `replace`, `move`, `copy` or `test`.
        path: the place concerned; empty for the whole document.
        origin: what RFC 6902 calls `from`.
        value: of `add`, `replace` and `test`.
    """

    number: int
    op: str
    path: Pointer
    origin: Pointer = ()
    value: Any = None


def parse(document: Iterable[Any]) -> tuple[Operation, ...]:
    """Read a patch document, as `fhirtwin.fhir.codec.decode_array` gives it.

    Raises:
        Incorrect: it is not of the form that RFC 6902 asks for; the text names the operation, from 0.
        TooLarge: more operations than one patch may have, or a path deeper than any value may be.
    """
    operations = tuple(_operation(number, one) for number, one in enumerate(document))
    if len(operations) > MAX_OPERATIONS:
        raise TooLarge(f"A patch may have at most {MAX_OPERATIONS} operations.")
    return operations


def apply(operations: Iterable[Operation], document: dict[str, Any]) -> dict[str, Any]:
    """Apply a patch.

    Args:
        operations: what `parse` gave.
        document: a JSON object; it is changed.

    Returns:
        The document as it is then.

    Raises:
        DoesNotApply: a place is not there, a `test` fails, or nothing would be left; the text numbers the operation,
            from 0.
        TooLarge: the patch asks for too much work.
    """
    root = {"": document}  # so that the whole document has a place to stand in, too
    work = Work()
    for operation in operations:
        _one(operation, root, work)
    patched = root.get("")
    if not isinstance(patched, dict):
        raise DoesNotApply("The patch leaves no JSON object.")
    return patched


def _operation(number: int, sent: Any) -> Operation:
    if not isinstance(sent, Mapping):
        raise Incorrect(f"Operation {number} must be an object.")
    op = sent.get("op")
    if not isinstance(op, str) or op not in _NAMES:
        raise Incorrect(f"Operation {number}: `op` must be one of {', '.join(sorted(_NAMES))}.")
    if op in _WITH_VALUE and "value" not in sent:
        raise Incorrect(f"Operation {number}: {op} needs a `value`.")
    path = _pointer(number, sent, "path")
    origin = _pointer(number, sent, "from") if op in _WITH_FROM else ()
    if op == "move" and path != origin and path[: len(origin)] == origin:
        raise Incorrect(f"Operation {number}: a value cannot be moved into itself.")
    return Operation(number, op, path, origin, sent.get("value"))


def _pointer(number: int, sent: Mapping[str, Any], name: str) -> Pointer:
    text = sent.get(name)
    if not isinstance(text, str) or _POINTER.fullmatch(text) is None:
        raise Incorrect(f"Operation {number}: `{name}` must be a JSON Pointer, such as /name/0/family.")
    if text.count("/") > MAX_DEPTH:
        raise TooLarge(f"Operation {number}: `{name}` leads deeper than {MAX_DEPTH}.")
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:])


def _one(operation: Operation, root: dict[str, Any], work: Work) -> None:
    match operation.op:
        case "add":
            _add(operation, root, copy.deepcopy(operation.value), work)
        case "remove":
            _remove(operation, root, operation.path)
        case "replace":
            owner, key = _at(operation, root, operation.path)
            _value(operation, owner, key)
            work.weigh(operation.value, len(operation.path) + 1)
            owner[key] = copy.deepcopy(operation.value)
        case "move":
            owner, key = _at(operation, root, operation.origin)
            moved = _value(operation, owner, key)
            _remove(operation, root, operation.origin)
            _add(operation, root, moved, work)
        case "copy":
            owner, key = _at(operation, root, operation.origin)
            copied = _value(operation, owner, key)
            work.weigh(copied, len(operation.path) + 1)
            _add(operation, root, copy.deepcopy(copied), work)
        case "test":
            owner, key = _at(operation, root, operation.path)
            there = _value(operation, owner, key)
            work.weigh(operation.value, 1)
            if not _equal(there, operation.value):
                raise DoesNotApply(f"Operation {operation.number}: the value tested for is not there.")


def _at(operation: Operation, root: dict[str, Any], path: Pointer) -> tuple[Any, Any]:
    """The object or array in which `path` ends, and the member or index there, which need not exist."""
    owner: Any = root
    key: Any = ""
    for part in path:
        owner = _value(operation, owner, key)
        if not isinstance(owner, dict | list):
            raise _missing(operation)
        key = part
        if isinstance(owner, list) and part != "-":
            if _INDEX.fullmatch(part) is None:
                raise _missing(operation)
            key = int(part)
    return owner, key


def _value(operation: Operation, owner: Any, key: Any) -> Any:
    try:
        return owner[key]
    except (KeyError, IndexError, TypeError):  # TypeError: `-`, the place behind an array's last item
        raise _missing(operation) from None


def _add(operation: Operation, root: dict[str, Any], value: Any, work: Work) -> None:
    work.weigh(value, len(operation.path) + 1)
    owner, key = _at(operation, root, operation.path)
    if isinstance(owner, dict):
        owner[key] = value
    elif key == "-":
        owner.append(value)
    elif key <= len(owner):
        owner.insert(key, value)
    else:
        raise _missing(operation)


def _remove(operation: Operation, root: dict[str, Any], path: Pointer) -> None:
    owner, key = _at(operation, root, path)
    _value(operation, owner, key)
    del owner[key]


def _missing(operation: Operation) -> DoesNotApply:
    return DoesNotApply(f"Operation {operation.number}: there is nothing at this path.")


def _equal(one: Any, other: Any) -> bool:
    """Equality of RFC 6902, 4.6: numbers by their value, and `true` is no number."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_equal(value, other[name]) for name, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_equal, one, other))
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | Decimal) and isinstance(other, int | Decimal):
        return one == other
    return type(one) is type(other) and bool(one == other)
