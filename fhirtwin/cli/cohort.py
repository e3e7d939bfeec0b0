"""`fhirtwin cohort`: the risks of many patients at once, a line of a file or a patient of the store each."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import Any

import click

from fhirtwin.cli.options import DATA


class _Stopped(click.ClickException):
    """Somebody pressed Ctrl-C; the exit code is that of shells for it."""

    exit_code = 130


@click.command()
@click.option("--input", "source", required=True, help="File of lines, a patient each; or `store`.")
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="File of rows to write.")
@click.option(
    "--models", default="", help="Ids of built-in predictors, with commas between; all of them when left out."
)
@click.option("--date", "day", default="", help="State the risks for this day (YYYY-MM-DD); today when left out.")
@click.option("--assessments", type=click.Path(path_type=Path, dir_okay=False), help="Write RiskAssessments here too.")
@click.option("--origin", default="", help="FHIR base that the records come from; `store` for the one here.")
@click.option("--prepare", is_flag=True, help="Write prepared vectors instead of rows; no engine is asked.")
@click.option("--workers", default=0, type=click.IntRange(0), help="Processes; one a core when left out.")
@click.option("--ray", default="", help="Work on a Ray cluster: its address, `auto`, or `local` to start one here.")
@click.option("--engine", "engine_url", default="", help="https://host:port or unix:/path; else an engine is started.")
@click.option("--engine-key", type=click.Path(path_type=Path), help="File of the secret shared with that engine.")
@DATA
def cohort(
    *,
    source: str,
    out: Path,
    models: str,
    day: str,
    assessments: Path | None,
    origin: str,
    prepare: bool,
    workers: int,
    ray: str,
    engine_url: str,
    engine_key: Path | None,
    data: Path,
) -> None:
    """Score many patients, computed on ciphertext, and write a row for each.

    Each line of the input is a Bundle with the record of one patient, or prepared vectors. Run again after it was cut
    off, it goes on where it was. What is refused stands, with its reason, in OUT.refused.ndjson; exit code 1 tells.
    """
    from fhirtwin.cohort import command
    from fhirtwin.settings import Settings

    overrides: dict[str, Any] = {"data": data.absolute()}
    overrides |= {"engine_url": engine_url} if engine_url else {}
    overrides |= {"engine_key_file": str(engine_key.absolute())} if engine_key else {}
    asked = command.Asked(
        source=None if source == command.STORE else _file(source),
        out=out,
        models=tuple(name.strip() for name in models.split(",") if name.strip()),
        day=_day(day),
        assessments=assessments,
        origin=origin.rstrip("/"),
        prepare=prepare,
        workers=workers,
        ray=ray,
    )
    with click.progressbar(length=1, label="cohort", file=sys.stderr) as bar:

        def told(progress: command.Progress) -> None:
            bar.length = max(progress.length, 1)
            bar.update(progress.position - bar.pos)

        try:
            summary = command.run(asked, Settings.from_env(**overrides), told)
        except KeyboardInterrupt:
            raise _Stopped(command.cut_off(out)) from None
    click.echo(f"{summary.rows} rows in {out}")
    if summary.refused:
        raise click.ClickException(
            f"{summary.refused} of {summary.rows + summary.refused} were refused; each is named, with its reason, in "
            f"{command.refused_path(out)}."
        )


def _file(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise click.BadParameter(f"{path} is no file; name one, or `store`.", param_hint="--input")
    return path


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise click.BadParameter("--date takes a day: YYYY-MM-DD.") from None
