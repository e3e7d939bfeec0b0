"""$validate-code: `GET` or `POST [base]/ValueSet/$validate-code`, `[base]/ValueSet/[id]/$validate-code`.

*Source*: http://hl7.org/fhir/R4/valueset-operation-validate-code.html.
"""

from __future__ import annotations

from typing import Any, Final

from fhirtwin.access import permit
from fhirtwin.access.visibility import view
from fhirtwin.fhir.terminology.expansion import Code, Codes
from fhirtwin.interactions import terminology
from fhirtwin.interactions.context import Answer
from fhirtwin.interactions.operation import Call, Level, Operation, Parameter, with_parameters
from fhirtwin.interactions.terminology import Coded, Terminology


def validate_code(call: Call) -> Answer:
    """Tell whether a code is one of a value set, and is shown by its right name.

    Of a CodeableConcept one coding that is suffices. A code of a value set that cannot be expanded whole is not judged.

    Args:
        call: the value set, and the code, Coding or CodeableConcept; `abstract`: whether a code that only groups others
            will do (it does when this is absent).

    Raises:
        NotFound, Gone: there is no such value set.
        Unprocessable, TooLarge: it cannot be expanded whole.
        Incorrect: a parameter is wrong.
    """
    permit(call.caller, "read", "ValueSet")
    asked = terminology.codings(call, version="systemVersion")
    with call.services.store.snapshot() as reader:
        known = Terminology(reader, view(call.caller))
        codes = known.expander.expand(known.asked(call, "ValueSet", "valueSet", "valueSetVersion"))
    judged = [(_why_not(one, codes, call.one("abstract")), one) for one in asked]
    why_not, one = min(judged, key=lambda pair: bool(pair[0]))
    found = codes.get((one.system, one.code))
    told: list[tuple[str, str, Any]] = [("result", "valueBoolean", not why_not)]
    if why_not:
        told.append(("message", "valueString", why_not))
    if found and found.display:
        told.append(("display", "valueString", found.display))
    return with_parameters(told)


def _why_not(one: Coded, codes: Codes, abstract: bool | None) -> str:
    found: Code | None = codes.get((one.system, one.code))
    if found is None:
        return "The code is not in the value set."
    if one.version and found.version and one.version != found.version:
        return f"The value set has the code of version {found.version} of its system."
    if abstract is False and found.abstract:
        return "The code only groups others."
    if one.display and found.display and not _is_shown(one.display, found):
        return "The code is in the value set; the display is none of its names."
    return ""


def _is_shown(display: str, found: Code) -> bool:
    names = (found.display, *(one["value"] for one in found.designations))
    return any(terminology.same_display(display, name) for name in names)


OPERATION: Final = Operation(
    name="validate-code",
    definition="http://hl7.org/fhir/OperationDefinition/ValueSet-validate-code",
    types=frozenset({"ValueSet"}),
    levels=frozenset({Level.TYPE, Level.INSTANCE}),
    run=validate_code,
    parameters=(
        Parameter("url", "uri"),
        Parameter("valueSet", "ValueSet"),
        Parameter("valueSetVersion", "string"),
        Parameter("code", "code"),
        Parameter("system", "uri"),
        Parameter("systemVersion", "string"),
        Parameter("display", "string"),
        Parameter("coding", "Coding"),
        Parameter("codeableConcept", "CodeableConcept"),
        Parameter("abstract", "boolean"),
    ),
)
