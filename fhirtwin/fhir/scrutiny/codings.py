"""Codes judged by their code systems, where these are known whole.

*Source*: http://hl7.org/fhir/R4/datatypes.html#Coding, http://hl7.org/fhir/R4/terminologies.html.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from fhirtwin.errors import Issue
from fhirtwin.fhir.profiles import Known
from fhirtwin.fhir.profiles.items import Item
from fhirtwin.fhir.terminology import value_sets

_ABSOLUTE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:.+")
_BETWEEN: Final = re.compile(r"[\W_]+")


def judge(item: Item, known: Known, language: str) -> Iterator[Issue]:
    """Judge one Coding.

    Args:
        item: the Coding.
        known: the code systems at hand besides R4's.
        language: of the resource; R4 has its displays in English.
    """
    system, code, display = (item.value.get(name, "") for name in ("system", "code", "display"))
    if not system:
        if code:
            yield Issue("business-rule", "A code without its system means nothing.", (item.place,), severity="warning")
        return
    if not _ABSOLUTE.fullmatch(system):
        yield Issue("value", "Expected an absolute URI as the system of a code.", (f"{item.place}.system",))
        return
    if value_sets.is_value_set(system):
        yield Issue("value", "Expected a code system; this is the URL of a value set.", (f"{item.place}.system",))
        return
    if code and value_sets.in_system(system, code, known.resource) is False:
        yield Issue("code-invalid", "Expected a code that its system defines.", (f"{item.place}.code",))
        return
    wanted = value_sets.display(system, code)
    if display and wanted and language.partition("-")[0] in ("", "en") and _plain(display) != _plain(wanted):
        text = f"Expected the display that the system gives this code: {wanted}."
        yield Issue("value", text, (f"{item.place}.display",))


def _plain(text: str) -> str:
    return _BETWEEN.sub(" ", text).strip().casefold()
