"""`/my-twin`: the page of a patient who holds the key. What is typed stays in the browser; sealed bytes go on.

There under `--open`, for administrators and for who holds the server's own token: patients do not sign in here yet.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from flask import Blueprint, Response, g, render_template, request

from fhirtwin.access import runs_the_server
from fhirtwin.api import body, errors
from fhirtwin.api.ui import bundle, patients, policy
from fhirtwin.errors import Busy, FhirtwinError, Forbidden, NotFound, Unauthenticated, Unavailable
from fhirtwin.fhir import binary
from fhirtwin.interactions.context import Services
from fhirtwin.interactions.invoke import find, invoke
from fhirtwin.interactions.operations.evaluate_sealed import MEDIA_TYPE
from fhirtwin.interactions.read import read
from fhirtwin.predictors.described import OF_THE_LIVING, SEXES, described, range_of, unit_of
from fhirtwin.predictors.model import Predictor
from fhirtwin.relay import Relay
from fhirtwin.terms.facts import FLAGS

FHIR_JSON: Final = "application/fhir+json"
_LONGEST_NAME: Final = 200
_POLICY: Final = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; style-src 'self'; img-src 'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types"
)
"""Scripts and WebAssembly of this server alone, nothing inline; no form of the page can be sent anywhere."""

_QUESTIONS: Final = {
    "ckd-g3-g5-shown": "chronic kidney disease G3 to G5, shown by two eGFR below 60 at least 90 days apart",
}


@dataclass(frozen=True, slots=True)
class Question:
    """One field of the form.

    Attributes:
        kind: `number`, `word` or `flag`.
        hint: unit and range of a number.
    """

    fact: str
    label: str
    kind: str
    hint: str = ""

    @property
    def title(self) -> str:
        """The label as a heading begins: `eGFR` stays as it is."""
        return self.label if self.label[1:2].isupper() else self.label[:1].upper() + self.label[1:]


def blueprint(parts: Services) -> Blueprint:
    """The pages below `/my-twin`."""
    pages = Blueprint(
        "my_twin", __name__, template_folder="templates", static_folder="static", static_url_path="/static"
    )
    _guard(pages, parts)

    @pages.get("")
    def choose() -> str:
        name, page = request.args.get("name", "")[:_LONGEST_NAME], request.args.get("page", "")
        return render_template(
            "my_twin/choose.html", found=patients.listed(parts, g.caller, name, page), name=name, page=page
        )

    @pages.get("/patient/<patient_id>")
    def my_twin(patient_id: str) -> str:
        person = patients.one(parts, g.caller, patient_id)
        built = bundle.find()
        if built is None:
            return render_template("my_twin/not_built.html", person=person)
        relay, predictors = _relay(parts), _predictors(parts, built)
        return render_template(
            "my_twin/page.html",
            person=person,
            bundle=built,
            sexes=SEXES,
            values=tuple(_values(predictors)),
            rules=tuple(_rules(predictors)),
            model=described(predictors, relay.panel, built.predictors, parts.settings),
        )

    @pages.get("/bundle/<digest>/<path:name>")
    def script(digest: str, name: str) -> Response:
        built = bundle.find()
        found = built.content(digest, name) if built else None
        if found is None:
            raise NotFound("This file is not of the build that is there; load the page anew.")
        return Response(found[0], mimetype=found[1], headers={"Cache-Control": bundle.KEPT})

    @pages.post("/patient/<patient_id>/sealed")
    def sealed(patient_id: str) -> Response:
        policy.require_own_site(parts.settings.base_url)
        sent = body.read_body(parts.settings.max_body_bytes)
        operation = find("Patient", patient_id, "evaluate-sealed", "POST")
        answer = invoke(parts, g.caller, operation, "Patient", patient_id, "POST", sent=sent)
        return Response(answer.body, status=answer.status, mimetype=FHIR_JSON)

    @pages.get("/patient/<patient_id>/kept/<id_>")
    def kept(patient_id: str, id_: str) -> Response:
        stored = read(parts, g.caller, "Binary", id_).body
        content = binary.from_resource(stored)
        is_theirs = content is not None and content.security_context == f"Patient/{patient_id}"
        if content is None or not is_theirs or not content.type.startswith(f"{MEDIA_TYPE};"):
            raise NotFound("There is nothing of this patient's, sealed, at this address.")
        return Response(stored, mimetype=FHIR_JSON)

    return pages


def _guard(pages: Blueprint, parts: Services) -> None:
    @pages.before_request
    def admit() -> None:
        if request.endpoint != "my_twin.static" and not runs_the_server(g.caller):
            raise Forbidden(
                "This page is there when the server runs with --open, for administrators, and for who holds the token "
                "of its data folder. Patients cannot sign in here yet."
            )

    @pages.errorhandler(FhirtwinError)
    def refuse(error: FhirtwinError) -> Response:
        is_page = request.endpoint in ("my_twin.choose", "my_twin.my_twin")
        if isinstance(error, Unauthenticated) or not is_page:
            return errors.render(error.status, error.issues)
        answer = Response(render_template("my_twin/error.html", error=error), status=error.status, mimetype="text/html")
        if error.status == Busy.status:
            answer.headers["Retry-After"] = "1"
        return answer

    @pages.after_request
    def mark(response: Response) -> Response:
        policy.mark(response, parts.settings.base_url)
        if request.endpoint == "my_twin.my_twin" and response.mimetype == "text/html":
            response.headers["Content-Security-Policy"] = _POLICY
        return response


def _relay(parts: Services) -> Relay:
    if parts.relay is None:
        raise Unavailable("This server passes no sealed vectors on: it was started without an engine.")
    return parts.relay


def _predictors(parts: Services, built: bundle.Bundle) -> tuple[Predictor, ...]:
    """Those that the browser can make features for."""
    return tuple(one for one in parts.assessor.predictors if one.id in built.predictors)


def _values(predictors: tuple[Predictor, ...]) -> Iterator[Question]:
    """What goes into the equations: each fact once, with the range of every predictor that takes it."""
    every = [given for one in predictors for given in one.inputs]
    for given in {one.fact: one for one in every}.values():
        ranges = sorted({range_of(one) for one in every if one.fact == given.fact} - {""})
        if given.fact in FLAGS:
            yield Question(given.fact, given.label, "flag")
        elif ranges:
            yield Question(given.fact, f"{given.label} ({unit_of(given)})", "number", " or ".join(ranges))
        else:
            yield Question(given.fact, given.label, "word")


def _rules(predictors: tuple[Predictor, ...]) -> Iterator[Question]:
    """What decides whether an equation applies at all."""
    rules = {rule.fact: rule for one in predictors for rule in one.rules if rule.fact not in OF_THE_LIVING}
    for rule in rules.values():
        yield Question(rule.fact, _QUESTIONS.get(rule.fact, rule.label or rule.reason), "flag")
