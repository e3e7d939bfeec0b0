"""OperationOutcome: how FHIR says what went wrong, or that something is missing.

*Source*: http://hl7.org/fhir/R4/operationoutcome.html.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fhirtwin.errors import Issue


def operation_outcome(issues: Iterable[Issue]) -> dict[str, Any]:
    """Make an OperationOutcome with one `issue` for each of `issues`, in order.

    R4 wants at least one: for none it says, as `information`, that all is well.
    """
    told = [_issue(issue) for issue in issues]
    return {
        "resourceType": "OperationOutcome",
        "issue": told or [{"severity": "information", "code": "informational", "diagnostics": "All is well."}],
    }


def _issue(issue: Issue) -> dict[str, Any]:
    told: dict[str, Any] = {"severity": issue.severity, "code": issue.code}
    if issue.text:
        told["diagnostics"] = issue.text
    if issue.expression:
        told["expression"] = list(issue.expression)
    return told
