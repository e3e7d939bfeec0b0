"""Where the time of one call went, by stage; rendered as the standard `Server-Timing` header."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

STAGES = ("parse", "validate", "fetch", "map", "seal", "wire", "evaluate", "open", "report", "store")

_spent: ContextVar[dict[str, float] | None] = ContextVar("spent", default=None)


def begin() -> None:
    """Start counting for the call that this context serves."""
    _spent.set({})


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Add the wall time of the block, in seconds, to `name`; nested stages count in both."""
    spent = _spent.get()
    if spent is None:
        yield
        return
    start = time.perf_counter()
    try:
        yield
    finally:
        spent[name] = spent.get(name, 0.0) + time.perf_counter() - start


def add(name: str, seconds: float) -> None:
    """Add time that was measured elsewhere (the engine tells how long it evaluated); may be negative."""
    spent = _spent.get()
    if spent is not None:
        spent[name] = spent.get(name, 0.0) + seconds


def header() -> str:
    """The `Server-Timing` value of this call so far, in milliseconds."""
    return ", ".join(f"{name};dur={seconds * 1000:.2f}" for name, seconds in (_spent.get() or {}).items())
