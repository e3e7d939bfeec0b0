"""`fhirtwin cds`: begin a CDS service of one's own, and call any."""

from __future__ import annotations

from pathlib import Path

import click

from fhirtwin.cli.options import CA_FILE, DATA, SERVER


@click.group()
def cds() -> None:
    """Write and try CDS Hooks services."""


@cds.command("new")
@click.argument("name")
@click.option("--hook", required=True, help="The hook that it is for: patient-view, order-sign, ...")
@click.option("--into", type=click.Path(path_type=Path, file_okay=False), default=Path(), help="Folder to put it in.")
def new(*, name: str, hook: str, into: Path) -> None:
    """Make the package NAME: a service for one hook, its entry point and a test that passes."""
    from fhirtwin.cli import scaffold

    folder = scaffold.make(name, hook, into)
    click.echo(f"{folder}: made. Try it, then install it, both with the Python of fhirtwin (after `make demo`:")
    click.echo(".venv/bin/python, .venv/bin/pip); discovery lists it after a restart:")
    click.echo(f"  cd {folder} && pip install pytest && python -m pytest && pip install .")


@cds.command("call")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@DATA
@SERVER
@CA_FILE
@click.option("--service", default="", help="Id of the service; default: the only one for the request's hook.")
@click.option("--token", default="", help="Bearer token (others on this machine can see it); default: that of --data.")
def call(*, file: Path, data: Path, server: str, ca_file: str | None, service: str, token: str) -> None:
    """Send the request of FILE to a CDS service and print status and cards; exit code 1 unless answered."""
    from fhirtwin import loading
    from fhirtwin.cli import calling

    answer = calling.call(loading.Gateway.of(data, server, ca_file or "", token), file, service)
    for line in answer.lines():
        click.echo(line)
    if not answer.is_success:
        raise SystemExit(1)
