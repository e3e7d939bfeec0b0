"""Links within a narrative: each leads to something in the narrative or the resource.

*Source*: http://hl7.org/fhir/R4/narrative.html#id.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from fhirtwin.errors import Issue
from fhirtwin.fhir.profiles.items import Item

_TARGET: Final = re.compile(r"""\b(?:id|name)\s*=\s*["']([^"'<>]*)["']""")
_LINK: Final = re.compile(r"""\bhref\s*=\s*["']#([^"'<>]*)["']""")


def judge(item: Item) -> Iterator[Issue]:
    """Judge the narrative of a resource, which is well-formed XHTML."""
    div = item.value.get("text", {}).get("div", "") if isinstance(item.value.get("text"), dict) else ""
    wanted = {name for name in _LINK.findall(div) if name}
    if wanted and not wanted <= {*_TARGET.findall(div), *_ids(item.value)}:
        text = "A link in the narrative leads to an id that neither the narrative nor the resource has."
        yield Issue("value", text, (f"{item.place}.text.div",))


def _ids(resource: dict[str, Any]) -> Iterator[str]:
    waiting: list[Any] = [resource]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if isinstance(one.get("id"), str):
                yield one["id"]
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
