"""`fhirtwin my-twin`: risks of a record that lies here, under a key that is made here."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fhirtwin.cli.options import CA_FILE, DATA, SERVER

if TYPE_CHECKING:
    from fhirtwin.assess import Assessment


@click.command("my-twin")
@click.argument("record", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--patient", required=True, help="ID or Patient/ID at the gateway, in whose name the engine is asked.")
@DATA
@SERVER
@CA_FILE
@click.option("--token", default="", help="Bearer token (others on this machine can see it); default: that of --data.")
@click.option("--whole", is_flag=True, help="RECORD holds all there is: what is on none of its lists is not there.")
@click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), help="Assess as of this day; default: today.")
@click.option("--keep", is_flag=True, help="Have the gateway keep the sealed vector and the sealed answer.")
def my_twin(
    *,
    record: Path,
    patient: str,
    data: Path,
    server: str,
    ca_file: str | None,
    token: str,
    whole: bool,
    day: date | None,
    keep: bool,
) -> None:
    """Print the risks of RECORD, a FHIR Bundle of one patient that never leaves this machine.

    The gateway passes a sealed vector on to its engine, and the sealed answer back; it can open neither.
    """
    from datetime import datetime

    from fhirtwin import loading
    from fhirtwin.client import MyTwin
    from fhirtwin.client.road import SealedRoad
    from fhirtwin.errors import Incorrect
    from fhirtwin.fhir import codec
    from fhirtwin.settings import Settings

    gateway = loading.Gateway.of(data, server, ca_file or "", token)
    bearer = str(gateway.http.headers.get("Authorization", "")).removeprefix("Bearer ")
    road = SealedRoad(gateway.base_url, patient, token=bearer, ca_file=ca_file or "", keep=keep)
    settings = Settings.from_env()
    try:
        read = codec.decode(record.read_bytes(), max_depth=settings.max_depth)
    except Incorrect as error:
        raise Incorrect(f"{record}: {str(error).replace('The body', 'the file', 1)}") from None
    as_of = day.date() if isinstance(day, datetime) else day
    for line in lines(MyTwin(road, settings).assess(read, whole=whole, as_of=as_of)):
        click.echo(line)


def lines(found: Assessment) -> Iterator[str]:
    """What came of it, for people."""
    for result in found.results:
        yield result.vector.predictor.title
        for score in result.scores:
            category = f", {score.category.text}" if score.category else ""
            yield f"  {score.output.outcome.display}, {score.output.horizon_years} years: {score.percent} %{category}"
        yield f"  {result.how}"
        yield from (f"  {note}" for note in result.notes)
    for refusal in (*found.refusals, *(one for result in found.results for one in result.vector.refusals)):
        what = f", {refusal.output.id}" if refusal.output else ""
        yield f"{refusal.predictor.title}{what}: not calculated: {'; '.join(refusal.reasons)}."
