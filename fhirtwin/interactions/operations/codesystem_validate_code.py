"""$validate-code: `GET` or `POST [base]/CodeSystem/$validate-code`, `[base]/CodeSystem/[id]/$validate-code`.

*Source*: http://hl7.org/fhir/R4/codesystem-operation-validate-code.html.
"""

from __future__ import annotations

from typing import Any, Final

from fhirtwin.access import permit
from fhirtwin.access.visibility import view
from fhirtwin.errors import Incorrect
from fhirtwin.fhir.terminology.codesystem import CodeSystem, Concept
from fhirtwin.interactions import terminology
from fhirtwin.interactions.context import Answer
from fhirtwin.interactions.operation import Call, Level, Operation, Parameter, with_parameters
from fhirtwin.interactions.terminology import Terminology


def validate_code(call: Call) -> Answer:
    """Tell whether a code is one of a code system, and is shown by its right name.

    Args:
        call: `url`, `codeSystem` or the address name the code system; `code`, `coding` or `codeableConcept`.

    Raises:
        NotFound, Gone: there is no such code system.
        Unprocessable: it is here in part only.
        Incorrect: a parameter is wrong.
    """
    permit(call.caller, "read", "CodeSystem")
    with call.services.store.snapshot() as reader:
        system = CodeSystem(Terminology(reader, view(call.caller)).asked(call, "CodeSystem", "codeSystem", "version"))
    judged = [(_why_not(concept, display), concept) for concept, display in _asked(call, system)]
    why_not, concept = min(judged, key=lambda pair: bool(pair[0]))
    told: list[tuple[str, str, Any]] = [("result", "valueBoolean", not why_not)]
    if why_not:
        told.append(("message", "valueString", why_not))
    if concept and concept.display:
        told.append(("display", "valueString", concept.display))
    return with_parameters(told)


def _asked(call: Call, system: CodeSystem) -> list[tuple[Concept | None, str]]:
    """The concepts that are asked about, None for what is none, and how they are shown."""
    if call.one("code") is not None and call.one("coding") is None and call.one("codeableConcept") is None:
        return [(system.find(call.one("code")), call.one("display") or "")]
    if call.one("code") is not None:
        raise Incorrect("Ask about one of `code`, `coding` and `codeableConcept`.")
    asked = terminology.codings(call)
    return [(system.find(one.code) if one.system == system.url else None, one.display) for one in asked]


def _why_not(concept: Concept | None, display: str) -> str:
    if concept is None:
        return "The code is not in the code system."
    names = (concept.display, *(one["value"] for one in concept.json.get("designation", ())))
    if display and concept.display and not any(terminology.same_display(display, name) for name in names):
        return "The code is in the code system; the display is none of its names."
    return ""


OPERATION: Final = Operation(
    name="validate-code",
    definition="http://hl7.org/fhir/OperationDefinition/CodeSystem-validate-code",
    types=frozenset({"CodeSystem"}),
    levels=frozenset({Level.TYPE, Level.INSTANCE}),
    run=validate_code,
    parameters=(
        Parameter("url", "uri"),
        Parameter("codeSystem", "CodeSystem"),
        Parameter("code", "code"),
        Parameter("version", "string"),
        Parameter("display", "string"),
        Parameter("coding", "Coding"),
        Parameter("codeableConcept", "CodeableConcept"),
    ),
)
