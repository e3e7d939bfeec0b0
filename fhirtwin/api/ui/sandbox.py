"""`/sandbox`: what an EHR does with the CDS services here, to be looked at: patient, hook, request, cards, exchange.

There under `--open`, for administrators and for who holds the server's own token; nobody else. Everything is a link or
a form: no script runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from flask import Blueprint, Response, g, render_template, request

from fhirtwin.access import runs_the_server
from fhirtwin.api import body, errors
from fhirtwin.api.cds import examples
from fhirtwin.api.cds.service import Service
from fhirtwin.api.cds.services import registry
from fhirtwin.api.ui import cards as shown
from fhirtwin.api.ui import drafting, exchanges, outcomes, patients, policy
from fhirtwin.api.ui.cards import Action, Card
from fhirtwin.api.ui.exchanges import Exchange
from fhirtwin.errors import Busy, FhirtwinError, Forbidden, Incorrect, NotFound, Unauthenticated
from fhirtwin.interactions.context import Services
from fhirtwin.settings import Settings

_FORM = "application/x-www-form-urlencoded"
_LONGEST_NAME = 200
_ESCAPED = 4
"""How much longer a request may be in a form than as JSON."""


@dataclass(frozen=True)
class Fired:
    """What came of a request, for its page.

    Attributes:
        answer: what the service answered with.
        told: card and outcome of what was told of cards before, as a form sends them.
    """

    exchange: Exchange
    answer: Mapping[str, Any]
    told: Mapping[str, str] = field(default_factory=dict)

    @property
    def cards(self) -> tuple[Card, ...]:
        """The cards of the answer."""
        return shown.shown(self.answer)

    @property
    def actions(self) -> tuple[Action, ...]:
        """What a client does unasked."""
        return shown.actions(self.answer)

    @property
    def extension(self) -> str:
        """The extension of the answer, as JSON; empty when there is none."""
        return exchanges.pretty(self.answer["extension"]) if "extension" in self.answer else ""

    @property
    def held_back(self) -> int:
        """How many cards are not shown as they were overridden before."""
        return shown.held_back(self.answer)

    @property
    def issues(self) -> list[tuple[str, str]]:
        """Place and text of each issue, when the exchange ended with an OperationOutcome."""
        return shown.issues(self.exchange.answer)


def blueprint(parts: Services, services: Mapping[str, Service] | None = None) -> Blueprint:
    """The pages below `/sandbox`.

    Args:
        parts: what interactions work with.
        services: by id; None means all of this installation.
    """
    sandbox = Blueprint(
        "sandbox", __name__, template_folder="templates", static_folder="static", static_url_path="/static"
    )
    known = registry.all_services() if services is None else services
    _guard(sandbox, parts.settings)

    @sandbox.get("")
    def choose_patient() -> str:
        name, page = request.args.get("name", "")[:_LONGEST_NAME], request.args.get("page", "")
        return render_template(
            "sandbox/patients.html", found=patients.listed(parts, g.caller, name, page), name=name, page=page
        )

    @sandbox.get("/patient/<patient_id>")
    def choose_service(patient_id: str) -> str:
        person = patients.one(parts, g.caller, patient_id)
        return render_template("sandbox/services.html", person=person, services=known.values())

    @sandbox.get("/patient/<patient_id>/<service_id>/<hook>")
    def see_request(patient_id: str, service_id: str, hook: str) -> str:
        service = _service(known, service_id, hook)
        person = patients.one(parts, g.caller, patient_id)
        drafted = drafting.draft(parts, g.caller, service, hook, patient_id, _chosen())
        text = exchanges.pretty(drafted.body)
        return _page(person, service, hook, text, missing=drafted.missing)

    @sandbox.post("/patient/<patient_id>/<service_id>/<hook>")
    def fire(patient_id: str, service_id: str, hook: str) -> str:
        form = _form(parts.settings)
        service = _service(known, service_id, hook)
        person = patients.one(parts, g.caller, patient_id)
        exchange = exchanges.post(f"/cds-services/{service.id}", form.get("request", "").encode())
        return _page(person, service, hook, form.get("request", ""), fired=Fired(exchange, exchange.answer))

    @sandbox.post("/patient/<patient_id>/<service_id>/<hook>/feedback")
    def tell(patient_id: str, service_id: str, hook: str) -> str:
        form = _form(parts.settings)
        service = _service(known, service_id, hook)
        person = patients.one(parts, g.caller, patient_id)
        answer = exchanges.read(form.get("response", "").encode())
        card, outcome, said = outcomes.feedback(form, answer)
        sent = exchanges.pretty(said)
        exchange = exchanges.post(f"/cds-services/{service.id}/feedback", sent.encode())
        told = {name.removeprefix("told-"): value for name, value in form.items() if name.startswith("told-")}
        told |= {card: outcome} if exchange.is_success else {}
        return _page(person, service, hook, form.get("request", ""), fired=Fired(exchange, answer, told), feedback=sent)

    return sandbox


def _guard(sandbox: Blueprint, settings: Settings) -> None:
    @sandbox.before_request
    def admit() -> None:
        if request.endpoint != "sandbox.static" and not runs_the_server(g.caller):
            raise Forbidden(
                "The sandbox is there when the server runs with --open, for administrators, and for who holds the "
                "token of its data folder."
            )

    @sandbox.errorhandler(FhirtwinError)
    def refuse(error: FhirtwinError) -> Response:
        if isinstance(error, Unauthenticated):  # told what everybody is told, at whatever address
            return errors.render(error.status, error.issues)
        answer = Response(render_template("sandbox/error.html", error=error), status=error.status, mimetype="text/html")
        if error.status == Busy.status:
            answer.headers["Retry-After"] = "1"
        return answer

    @sandbox.after_request
    def mark(response: Response) -> Response:
        return policy.mark(response, settings.base_url)


def _service(known: Mapping[str, Service], id_: str, hook: str) -> Service:
    service = known.get(id_)
    if service is None or hook not in service.hooks:
        raise NotFound("There is no such CDS service for this hook.")
    return service


def _form(settings: Settings) -> dict[str, str]:
    """The fields of a form of ours.

    Raises:
        Forbidden: it is none of ours.
        Incorrect: it is no form.
    """
    if request.mimetype != _FORM:
        raise Incorrect(f"Send a form, as {_FORM}.")
    policy.require_own_site(settings.base_url)
    sent = body.read_whole(_ESCAPED * settings.max_body_bytes)
    try:
        pairs = parse_qsl(sent.decode("ascii"), keep_blank_values=True, max_num_fields=1000)
        form = {name: value.encode().decode() for name, value in pairs}
    except ValueError:
        raise Incorrect("The form cannot be read.") from None
    policy.require_own_form(form)
    return form


def _chosen() -> examples.Medicine:
    """The medicine of draft orders, as the address says it; forms keep the address."""
    return examples.medicine(request.args.get("code", "").strip(), request.args.get("display", "").strip())


def _page(person: patients.Person, service: Service, hook: str, text: str, **more: Any) -> str:
    return render_template(
        "sandbox/request.html",
        person=person,
        service=service,
        hook=hook,
        text=text,
        token=policy.form_token(),
        chosen=_chosen(),
        medicines=examples.MEDICINES if drafting.takes_orders(hook) else (),
        pretty=exchanges.pretty,
        **more,
    )
