"""The routes below the FHIR base: http://hl7.org/fhir/R4/http.html."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, g, request

from fhirtwin.api import body
from fhirtwin.api.fhir import answers, binaries, files, negotiation, parameters
from fhirtwin.api.fhir.answers import respond as _response
from fhirtwin.errors import WrongMediaType
from fhirtwin.interactions.batch import batch
from fhirtwin.interactions.bundle_entries import is_batch
from fhirtwin.interactions.capabilities import capabilities
from fhirtwin.interactions.context import Services
from fhirtwin.interactions.create import create
from fhirtwin.interactions.delete import delete
from fhirtwin.interactions.history import history
from fhirtwin.interactions.invoke import find, invoke
from fhirtwin.interactions.patch import Form, patch
from fhirtwin.interactions.read import read
from fhirtwin.interactions.search_system import search_system
from fhirtwin.interactions.search_type import search_type
from fhirtwin.interactions.transaction import transaction
from fhirtwin.interactions.update import update
from fhirtwin.interactions.vread import vread


def blueprint(services: Services) -> Blueprint:
    """The routes; `g.caller` is who calls."""
    fhir = Blueprint("fhir", __name__)

    answers.prepare(fhir, services)
    _register_reads(fhir, services)
    _register_writes(fhir, services)
    _register_operations(fhir, services)
    return fhir


def _register_reads(fhir: Blueprint, services: Services) -> None:
    @fhir.get("/metadata")
    def metadata() -> Response:
        return _response(capabilities(services, g.caller))

    @fhir.get("/<type_>/<id_>")
    def read_route(type_: str, id_: str) -> Response:
        conditions = {
            "if_none_match": request.headers.get("If-None-Match"),
            "if_modified_since": request.headers.get("If-Modified-Since"),
        }
        return _response(read(services, g.caller, type_, id_, **conditions, parameters=negotiation.parameters()))

    @fhir.get("/<type_>/<id_>/_history/<version>")
    def vread_route(type_: str, id_: str, version: str) -> Response:
        return _response(vread(services, g.caller, type_, id_, version, negotiation.parameters()))

    @fhir.get("/_history")
    @fhir.get("/<type_>/_history")
    @fhir.get("/<type_>/<id_>/_history")
    def history_route(type_: str = "", id_: str = "") -> Response:
        return _response(history(services, g.caller, type_, id_, negotiation.parameters(), form=negotiation.form()))

    @fhir.get("/<type_>")
    def search_route(type_: str) -> Response:
        return _response(search_type(services, g.caller, type_, negotiation.parameters(), **_wishes()))

    @fhir.post("/<type_>/_search")
    def search_form_route(type_: str) -> Response:
        sent = parameters.of_form(services.settings.max_body_bytes)
        return _response(search_type(services, g.caller, type_, negotiation.parameters() + sent, **_wishes()))

    @fhir.get("/")
    def search_system_route() -> Response:
        return _response(search_system(services, g.caller, negotiation.parameters(), **_wishes()))

    @fhir.post("/_search")
    def search_system_form_route() -> Response:
        sent = parameters.of_form(services.settings.max_body_bytes)
        return _response(search_system(services, g.caller, negotiation.parameters() + sent, **_wishes()))


def _register_writes(fhir: Blueprint, services: Services) -> None:
    settings = services.settings

    @fhir.post("/")
    def bundle_route() -> Response:
        negotiation.refuse_parameters()
        data = negotiation.read_resource(settings)
        interaction = batch if is_batch(data) else transaction
        return _response(interaction(services, g.caller, data, prefer=_prefer()))

    @fhir.post("/<type_>")
    def create_route(type_: str) -> Response:
        negotiation.refuse_parameters()
        condition = request.headers.get("If-None-Exist")
        data = binaries.read_resource(settings, type_)
        return _response(create(services, g.caller, type_, data, if_none_exist=condition, prefer=_prefer()))

    @fhir.put("/<type_>/<id_>")
    @fhir.put("/<type_>")
    def update_route(type_: str, id_: str = "") -> Response:
        conditions = _conditions(id_)
        data = binaries.read_resource(settings, type_, id_)
        return _response(update(services, g.caller, type_, id_, data, **conditions, prefer=_prefer()))

    @fhir.patch("/<type_>/<id_>")
    @fhir.patch("/<type_>")
    def patch_route(type_: str, id_: str = "") -> Response:
        form = negotiation.patch_form()
        conditions = _conditions(id_)
        data = body.read_body(settings.max_body_bytes)
        data = data if form is Form.JSON else negotiation.as_json(data, settings)
        return _response(patch(services, g.caller, type_, id_, data, form, **conditions, prefer=_prefer()))

    @fhir.delete("/<type_>/<id_>")
    @fhir.delete("/<type_>")
    def delete_route(type_: str, id_: str = "") -> Response:
        return _response(delete(services, g.caller, type_, id_, **_conditions(id_), prefer=_prefer()))

    @fhir.after_request
    def name_patch_forms(response: Response) -> Response:
        if request.method == "PATCH" and response.status_code == WrongMediaType.status:
            response.headers["Accept-Patch"] = ", ".join(Form)  # RFC 5789, 3.1
        return response


def _register_operations(fhir: Blueprint, services: Services) -> None:
    @fhir.route("/$<name>", methods=["GET", "POST"])
    @fhir.route("/<type_>/$<name>", methods=["GET", "POST"])
    @fhir.route("/<type_>/<id_>/$<name>", methods=["GET", "POST"])
    def operation_route(name: str, type_: str = "", id_: str = "") -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        operation = find(type_, id_, name, method)
        pairs, form = negotiation.parameters(), negotiation.form()
        if files.is_one(operation.content):
            with files.received(services.settings) as content:
                answer = invoke(services, g.caller, operation, type_, id_, method, pairs, form=form, content=content)
                return _response(answer)
        sent = parameters.of_operation(services.settings)
        return _response(invoke(services, g.caller, operation, type_, id_, method, pairs, sent, form=form))


def _conditions(id_: str) -> dict[str, str | None]:
    """The conditions of a write, with the search that stands in the place of an id."""
    if id_:
        negotiation.refuse_parameters()
    return {
        "criteria": None if id_ else negotiation.criteria(),
        "if_match": request.headers.get("If-Match"),
        "if_none_match": request.headers.get("If-None-Match"),
    }


def _wishes() -> dict[str, Any]:
    """What the caller of a search wishes of it, beside what it asks."""
    return {"prefer": _prefer(), "form": negotiation.form()}


def _prefer() -> str:
    return request.headers.get("Prefer", "")
