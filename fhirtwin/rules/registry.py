"""Which rules there are: those that modules of this folder export as `RULES`, in a fixed order."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import Any, Final

from fhirtwin import rules as folder
from fhirtwin.errors import Fault
from fhirtwin.rules.findings import Finding, Severity
from fhirtwin.rules.situation import Rule, Situation

_URGENT: Final = (Severity.CRITICAL, Severity.WARNING, Severity.INFO)


@cache
def all_rules() -> tuple[Rule, ...]:
    """Give every rule, in the order of the modules' names.

    Raises:
        Fault: what a module exports as `RULES` is not a tuple of rules.
    """
    return tuple(rule for name, given in _exported() for rule in gate(name, given))


def gate(name: str, given: Any) -> tuple[Rule, ...]:
    """Check what a module exports before any of it is used.

    Raises:
        Fault: it is not a tuple of functions.
    """
    if not isinstance(given, tuple) or not all(callable(rule) for rule in given):
        raise Fault(f"RULES of fhirtwin.rules.{name} must be a tuple of functions from a situation to findings")
    return given


def judge(situation: Situation) -> tuple[Finding, ...]:
    """Ask every rule, and give the findings, the most urgent first; equals stay in the order of rules and orders."""
    found = [finding for rule in all_rules() for finding in rule(situation)]
    return tuple(sorted(found, key=lambda finding: _URGENT.index(finding.severity)))


def _exported() -> Iterator[tuple[str, Any]]:
    for module in sorted(pkgutil.iter_modules(folder.__path__), key=lambda m: m.name):
        if module.name == "registry" or module.ispkg:
            continue
        loaded = import_module(f"{folder.__name__}.{module.name}")
        if hasattr(loaded, "RULES"):
            yield module.name, loaded.RULES
