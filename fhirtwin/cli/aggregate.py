"""`fhirtwin aggregate`: totals of several institutions, none of which shows its own."""

from __future__ import annotations

import json
from pathlib import Path

import click

FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
NEW_FILE = click.Path(path_type=Path, dir_okay=False)
STUDY = click.argument("study", type=FILE)
ROUND = click.option("--round", "round_file", type=FILE, help="File of the round; the first has none.")
PASSPHRASE = click.option(
    "--passphrase-file", type=NEW_FILE, help="File, mode 0600, of the passphrase of the key; else it is asked for."
)


@click.group()
def aggregate() -> None:
    """Add up what several institutions know, without any of them showing its own part.

    The coordinator makes a study (new), each site seals its part (seal), somebody else adds them up (add), and the
    coordinator opens the total (open).
    """


@aggregate.command("new")
@click.argument("plan", type=FILE)
@click.option("--folder", required=True, type=click.Path(path_type=Path), help="New folder for the study.")
@PASSPHRASE
def new(*, plan: Path, folder: Path, passphrase_file: Path | None) -> None:
    """Coordinator: make a study of PLAN. Its key stays in the folder, sealed under a passphrase."""
    from fhirtwin import machine
    from fhirtwin.aggregate import coordinator

    passphrase = _passphrase(passphrase_file, confirm=True)
    machine.close_memory()
    study = coordinator.new(plan, folder, passphrase)
    click.echo(f"{folder / 'study.json'}: for every site and for the adder.")
    for site in study.plan.sites:
        click.echo(f"{folder / 'invitations' / site}.json: secret, for the site {site} alone.")
    click.echo(f"{folder / 'coordinator.key'}: opens the total of at least {study.plan.minimum_contributors} sites.")


@aggregate.command("show")
@STUDY
def show(*, study: Path) -> None:
    """Anybody: say what STUDY asks of a site, and what the coordinator would learn."""
    from fhirtwin.studies import telling
    from fhirtwin.studies.files import study_in

    for line in telling.lines(study_in(study)):
        click.echo(line)


@aggregate.command("seal")
@STUDY
@click.argument("data", type=FILE)
@click.option("--invitation", required=True, type=NEW_FILE, help="File that the coordinator handed to this site.")
@click.option("--out", required=True, type=NEW_FILE, help="File to write, for the adder.")
@click.option("--at-least", default=3, show_default=True, help="Refuse a study of fewer contributors.")
@click.option("--again", is_flag=True, help="Also when this round was sealed for already.")
@ROUND
def seal(
    *, study: Path, data: Path, invitation: Path, out: Path, at_least: int, again: bool, round_file: Path | None
) -> None:
    """Site: seal what the rows of DATA (.csv, .ndjson) come to. The rows stay here."""
    from fhirtwin.aggregate import site

    known = site.contribute(study, invitation, round_file, data, out, at_least=at_least, again=again)
    click.echo(f"{out}: sealed, for the adder of {known.plan.name}.")


@aggregate.command("add")
@STUDY
@click.argument("contributions", nargs=-1, required=True, type=FILE)
@click.option("--out", required=True, type=NEW_FILE, help="File to write, for the coordinator.")
@ROUND
def add(*, study: Path, contributions: tuple[Path, ...], out: Path, round_file: Path | None) -> None:
    """Adder: add CONTRIBUTIONS up. It needs no key and has none; it makes one total of a round."""
    from fhirtwin.engine import adding

    for name in adding.add_files(study, round_file, contributions, out):
        click.echo(name)


@aggregate.command("open")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("total", type=FILE)
@PASSPHRASE
def open_(*, folder: Path, total: Path, passphrase_file: Path | None) -> None:
    """Coordinator: open TOTAL of the study in FOLDER, and print the result or name the next round."""
    from fhirtwin import machine
    from fhirtwin.aggregate import coordinator

    passphrase = _passphrase(passphrase_file)
    machine.close_memory()
    opened = coordinator.open_total(folder, total, passphrase)
    if opened.next_round:
        click.echo(f"{opened.next_round}: the next round, for every site and for the adder.")
    else:
        click.echo(json.dumps(opened.result, indent=2))


def _passphrase(file: Path | None, *, confirm: bool = False) -> str:
    from fhirtwin import keyfile

    if file is None:
        return str(click.prompt("Passphrase", hide_input=True, confirmation_prompt=confirm))
    return keyfile.content(file, 4096, "write one into it, mode 0600").decode("utf-8", "replace").strip()
