"""Resources whose storing would promise something that this server does not do: refused, not silently stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fhirtwin.errors import Unprocessable

_ACT_CODE: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_OPT_OUT: Final = frozenset({"OPTOUT", "OPTOUTE"})


def refuse(resource: Mapping[str, Any]) -> None:
    """Return when a structurally valid resource may be stored.

    Raises:
        Unprocessable: a Subscription that would have to notify, or a Consent that would have to be obeyed.
    """
    match resource["resourceType"]:
        case "Subscription" if resource["status"] in ("active", "requested"):
            raise Unprocessable(
                "This server sends no notifications, so it stores no Subscription that asks for them; "
                "with status `off` it can be stored.",
                expression="Subscription.status",
            )
        case "Consent" if resource["status"] == "active" and _denies(resource):
            raise Unprocessable(
                "This server does not enforce consent yet, so it stores no active Consent that denies: that would "
                "promise protection that is not there.",
                expression="Consent.provision",
            )


def _denies(consent: Mapping[str, Any]) -> bool:
    """Whether a provision at any depth denies, or the policy is one of the opt-outs of HL7's ActCode."""
    policies = consent.get("policyRule", {}).get("coding", ())
    if any(policy.get("system") == _ACT_CODE and policy.get("code") in _OPT_OUT for policy in policies):
        return True
    unseen = [consent.get("provision", {})]
    while unseen:
        provision = unseen.pop()
        if provision.get("type") == "deny":
            return True
        unseen += provision.get("provision", ())
    return False
