"""Whoever calls a function is held up in it until a test lets them go on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

import pytest


@contextmanager
def held_up(monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str) -> Iterator[threading.Event]:
    """Hold up whoever calls a function of a module until the block ends; the event tells that somebody waits there."""
    waits, go_on, real = threading.Event(), threading.Event(), getattr(module, name)

    def slow(*given: object) -> object:
        waits.set()
        assert go_on.wait(30)
        return real(*given)

    monkeypatch.setattr(module, name, slow)
    try:
        yield waits
    finally:
        go_on.set()
