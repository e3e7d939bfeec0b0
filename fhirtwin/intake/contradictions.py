"""Whether a call contradicts itself: two resources with one id that do not say the same."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fhirtwin.errors import Unprocessable
from fhirtwin.intake import belonging
from fhirtwin.intake.belonging import Placed, Resource


def refuse(placed: Iterable[Placed]) -> None:
    """Refuse a resource that stands twice and does not say the same: which of both is meant cannot be known.

    Args:
        placed: what came together, the prefetch or the context; a draft may differ from what is stored under its id.

    Raises:
        Unprocessable: naming each place.
    """
    seen: dict[tuple[str, Any], Resource] = {}
    issues = []
    for item in placed:
        first = seen.setdefault((item.resource["resourceType"], item.resource.get("id", item.place)), item.resource)
        if first is not item.resource and _without_meta(first) != _without_meta(item.resource):
            issues.append(belonging.unfit(item, "stands there before, under the same id, with another content"))
    if issues:
        raise Unprocessable("The call contradicts itself.", issues=issues)


def _without_meta(resource: Resource) -> Resource:
    return {name: value for name, value in resource.items() if name != "meta"}
