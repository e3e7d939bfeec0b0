"""Checks what a service answers: nothing leaves that breaks the rules of CDS Hooks.

Source: https://cds-hooks.hl7.org/2.0/#cds-service-response
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fhirtwin.api.cds.answers.response_rules import broken
from fhirtwin.api.cds.service import Response
from fhirtwin.errors import Fault


def as_json(service: str, answer: Response) -> dict[str, Any]:
    """An answer as it leaves; members without content are left out, save for `cards`.

    Raises:
        Fault: it breaks a rule; the text names the service, the place and the rule, and nothing of the patient.
    """
    body: dict[str, Any] = {"cards": list(answer.cards)}
    if answer.system_actions:
        body["systemActions"] = list(answer.system_actions)
    if answer.extension:
        body["extension"] = answer.extension
    check(service, body["cards"], answer.system_actions, answer.extension)
    return body


def check(
    service: str,
    cards: Sequence[Mapping[str, Any]],
    system_actions: Sequence[Mapping[str, Any]] = (),
    extension: Mapping[str, Any] | None = None,
) -> None:
    """Let an answer pass, or none of it.

    Raises:
        Fault: it breaks a rule; the text names the service, the place and the rule.
    """
    body = {"cards": cards, "systemActions": list(system_actions), "extension": extension}
    given = {name: value for name, value in body.items() if value or name == "cards"}
    for place, rule in broken(given):
        raise Fault(f"CDS service {service} made an answer that must not leave: {place} {rule}.")
