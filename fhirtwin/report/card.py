"""What cards are made as, whoever makes them, and this server as the source of one."""

from __future__ import annotations

from typing import Any

Card = dict[str, Any]


def this_server(base_url: str) -> dict[str, Any]:
    """The source of a card that no guideline, label or model speaks in.

    Args:
        base_url: FHIR base of this server.
    """
    return {"label": "fhirtwin", "url": f"{base_url}/metadata"}
