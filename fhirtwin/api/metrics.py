"""`/metrics`: figures of CDS services and engine in the text format of Prometheus, with nothing of any patient.

They come from the store, so every gateway process tells the same. Nothing here is worth a library: the format is one
line a number.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from flask import Blueprint, Response, g

from fhirtwin.access import permit_figures
from fhirtwin.interactions import burden
from fhirtwin.report.alert_burden import Burden
from fhirtwin.store import Store
from fhirtwin.store.standing import Standing

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

_Sample = tuple[dict[str, str], int]
_COUNTERS: Final[Mapping[str, tuple[str, Callable[[Burden], Iterable[_Sample]]]]] = {
    "fhirtwin_cds_calls_total": (
        "Calls of a CDS service: answered with cards, answered without one, refused (4xx), failed (5xx).",
        lambda one: (
            ({"result": "cards"}, one.answered - one.silent),
            ({"result": "no_card"}, one.silent),
            ({"result": "refused"}, one.refused),
            ({"result": "failed"}, one.failed),
        ),
    ),
    "fhirtwin_cds_cards_total": (
        "Cards that were due: shown, or held back because their user had overridden them.",
        lambda one: (({"shown": "yes"}, one.cards), ({"shown": "no"}, one.quietened)),
    ),
    "fhirtwin_cds_feedback_total": (
        "Feedback on cards.",
        lambda one: (({"outcome": "accepted"}, one.accepted), ({"outcome": "overridden"}, one.overrides)),
    ),
    "fhirtwin_cds_override_reasons_total": (
        "Overridden cards by the reason chosen of those offered; no system and code where none was.",
        lambda one: (
            ({"system": system, "code": code}, number) for (system, code), number in sorted(one.overridden.items())
        ),
    ),
}


def blueprint(store: Store) -> Blueprint:
    """The page, for administrators."""
    metrics = Blueprint("metrics", __name__)

    @metrics.get("/metrics")
    def figures() -> Response:
        permit_figures(g.caller)
        with store.snapshot() as reader:
            standing = reader.standings.read()
        lines = (*_lines(burden.of_services(store)), *_of_engine(standing))
        return Response("".join(f"{line}\n" for line in lines), content_type=CONTENT_TYPE)

    return metrics


def _lines(services: Mapping[str, Burden]) -> Iterator[str]:
    for name, (says, samples) in _COUNTERS.items():
        yield f"# HELP {name} {says}"
        yield f"# TYPE {name} counter"
        for service, counted in services.items():
            for labels, value in samples(counted):
                yield f"{name}{{{_labels({'service': service, **labels})}}} {value}"


def _of_engine(standing: Standing) -> Iterator[str]:
    yield "# HELP fhirtwin_engine_answers_total Answers of the engine, by what the probes in them say."
    yield "# TYPE fhirtwin_engine_answers_total counter"
    yield f'fhirtwin_engine_answers_total{{probe="right"}} {standing.right}'
    yield f'fhirtwin_engine_answers_total{{probe="wrong"}} {standing.wrong}'
    yield "# HELP fhirtwin_engine_quarantined Whether the engine is in quarantine: asked no more."
    yield "# TYPE fhirtwin_engine_quarantined gauge"
    yield f"fhirtwin_engine_quarantined {int(standing.quarantined is not None)}"


def _labels(labels: Mapping[str, str]) -> str:
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
