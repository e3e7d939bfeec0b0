"""Invariants of TestScript and TestReport.

*Source*: http://hl7.org/fhir/R4/testscript.html, http://hl7.org/fhir/R4/testreport.html.
"""

from __future__ import annotations

from typing import Final

from fhirtwin.fhir.invariants.rules import Object, Rule, none_if, one_of, there, where

_ASSERTIONS: Final = (
    "contentType",
    "expression",
    "headerField",
    "minimumId",
    "navigationLinks",
    "path",
    "requestMethod",
    "resource",
    "responseCode",
    "response",
    "validateProfileId",
)
_WITHOUT_TARGET: Final = frozenset({"capabilities", "search", "transaction", "history"})


def _not_all_of_three(variable: Object) -> bool:
    # By the published expression, which allows two of them.
    return not all(there(variable, name) for name in ("expression", "headerField", "path"))


def _required_or_validated(metadata: Object) -> bool:
    return any(there(each, name) for each in metadata.get("capability", ()) for name in ("required", "validated"))


def _one_target(operation: Object) -> bool:
    targets = sum(there(operation, name) for name in ("targetId", "url", "params"))
    return there(operation, "sourceId") or targets == 1 or operation.get("type", {}).get("code") in _WITHOUT_TARGET


def _one_assertion(assertion: Object) -> bool:
    return "extension" in assertion or sum(there(assertion, name) for name in _ASSERTIONS) <= 1


def _compared_by_one(assertion: Object) -> bool:
    by = any(there(assertion, name) for name in ("compareToSourceExpression", "compareToSourcePath"))
    return there(assertion, "compareToSourceId") == by


def _operation_or_assert(key: str) -> Rule:
    return Rule(key, "Either an operation or an assert is needed, not both.", one_of("operation", "assert"))


def _operation(key: str) -> tuple[Rule, ...]:
    return (Rule(key, "A sourceId or exactly one of targetId, params and url is needed.", where(_one_target)),)


def _assertion(single: str, compared: str, request: str) -> tuple[Rule, ...]:
    return (
        Rule(single, "One assertion at a time.", where(_one_assertion)),
        Rule(compared, "compareToSourceId comes with an expression or a path.", where(_compared_by_one)),
        Rule(request, "A request has no response to assert.", none_if("response", "direction", "request")),
        Rule(request, "A request has no responseCode to assert.", none_if("responseCode", "direction", "request")),
    )


RULES: Final[dict[str, tuple[Rule, ...]]] = {
    "TestScript.metadata": (
        Rule("tst-4", "A capability must be required or validated.", where(_required_or_validated)),
    ),
    "TestScript.variable": (
        Rule("tst-3", "expression, headerField and path are not all there.", where(_not_all_of_three)),
    ),
    "TestScript.setup.action": (_operation_or_assert("tst-1"),),
    "TestScript.test.action": (_operation_or_assert("tst-2"),),
    "TestScript.setup.action.operation": _operation("tst-7"),
    # Operations and asserts elsewhere take over the elements of setup, and with them are judged there.
    "TestScript.setup.action.assert": _assertion("tst-5", "tst-10", "tst-12"),
    "TestReport.setup.action": (_operation_or_assert("inv-1"),),
    "TestReport.test.action": (_operation_or_assert("inv-2"),),
}
