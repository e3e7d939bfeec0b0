"""The least that Flask and SQLite can do for FHIR: no validation, no transactions by reference, two index tables.

Not a product: the other side of the ratios of `benchmarks.fhir_server`, what checking, history, the twin and the index
of all parameters cost. `synchronous=FULL` and granian as in the gateway: the same disk and the same web server.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import threading
import uuid
from typing import Any

import msgspec
from flask import Flask, Response, request

_local = threading.local()
_URN = re.compile(rb"urn:uuid:[0-9a-fA-F-]{36}")
_TABLES = """
create table if not exists resource (type text, id text, body blob, primary key (type, id)) without rowid;
create table if not exists code (type text, system text, code text, id text);
create index if not exists by_code on code (type, code, system, id);
create table if not exists patient (type text, patient text, id text);
create index if not exists by_patient on patient (type, patient, id);
"""


def _database() -> sqlite3.Connection:
    if not hasattr(_local, "connection"):
        _local.connection = sqlite3.connect(os.environ["FLOOR_DATABASE"], isolation_level=None, timeout=30)
        _local.connection.execute("pragma journal_mode=wal")
        _local.connection.execute("pragma synchronous=full")
        _local.connection.executescript(_TABLES)
    return _local.connection


def _keep(connection: sqlite3.Connection, resource: dict[str, Any], id_: str) -> None:
    kind = resource["resourceType"]
    resource["id"] = id_
    connection.execute("insert into resource values (?, ?, ?)", (kind, id_, msgspec.json.encode(resource)))
    for coding in resource.get("code", {}).get("coding", ()):
        connection.execute("insert into code values (?, ?, ?, ?)", (kind, coding["system"], coding["code"], id_))
    about = resource.get("subject", resource.get("patient", {})).get("reference", "")
    connection.execute("insert into patient values (?, ?, ?)", (kind, about.rpartition("/")[2], id_))


def create_app() -> Flask:
    """The application: transaction of POSTs, create, read, search by patient and code."""
    app = Flask(__name__)

    @app.post("/fhir")
    @app.post("/fhir/")
    def transaction() -> Response:
        data = request.get_data()
        entries = msgspec.json.decode(data)["entry"]
        targets = {entry["fullUrl"]: str(uuid.uuid4()) for entry in entries if "fullUrl" in entry}
        stored = {
            entry["fullUrl"].encode(): f"{entry['resource']['resourceType']}/{targets[entry['fullUrl']]}".encode()
            for entry in entries
            if "fullUrl" in entry
        }
        data = _URN.sub(lambda found: stored.get(found[0], found[0]), data)
        connection, answers = _database(), []
        connection.execute("begin immediate")
        for entry, placed in zip(entries, msgspec.json.decode(data)["entry"], strict=True):
            id_ = targets.get(entry.get("fullUrl", ""), str(uuid.uuid4()))
            _keep(connection, placed["resource"], id_)
            location = f"{placed['resource']['resourceType']}/{id_}/_history/1"
            answers.append({"response": {"status": "201 Created", "location": location}})
        connection.execute("commit")
        return _json({"resourceType": "Bundle", "type": "transaction-response", "entry": answers})

    @app.post("/fhir/<kind>")
    def create(kind: str) -> Response:
        resource, connection = msgspec.json.decode(request.get_data()), _database()
        connection.execute("begin immediate")
        _keep(connection, {**resource, "resourceType": kind}, str(uuid.uuid4()))
        connection.execute("commit")
        return Response(status=201)

    @app.get("/fhir/<kind>/<id_>")
    def read(kind: str, id_: str) -> Response:
        row = _database().execute("select body from resource where type = ? and id = ?", (kind, id_)).fetchone()
        return Response(row[0], content_type="application/fhir+json")

    @app.get("/fhir/<kind>")
    def search(kind: str) -> Response:
        system, _, code = request.args["code"].rpartition("|")
        rows = _database().execute(
            "select r.body from patient p join code c on c.type = p.type and c.id = p.id and c.code = ?"
            " and c.system = ? join resource r on r.type = p.type and r.id = p.id where p.type = ? and p.patient = ?"
            " limit ?",
            (code, system, kind, request.args["patient"].rpartition("/")[2], int(request.args["_count"])),
        )
        return _json({"entry": [{"resource": msgspec.Raw(row[0])} for row in rows]})

    @app.get("/fhir/metadata")
    def metadata() -> Response:
        return Response(json.dumps({"resourceType": "CapabilityStatement"}), content_type="application/fhir+json")

    return app


def _json(value: Any) -> Response:
    return Response(msgspec.json.encode(value), content_type="application/fhir+json")
