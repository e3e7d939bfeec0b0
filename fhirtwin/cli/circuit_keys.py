"""`fhirtwin keys circuits`: the keys of rotating circuits that a gateway keeps, sealed, in its data folder."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fhirtwin.cli.options import DATA

if TYPE_CHECKING:
    from fhirtwin.key_shelf import KeyShelf


@click.group()
def circuits() -> None:
    """The keys of circuits that are kept (FHIRTWIN_CIRCUIT_KEYS=kept); a running gateway sees a change at once."""


@circuits.command("list")
@DATA
def list_(*, data: Path) -> None:
    """Say of each key what it is for, since when, how many answers it may have opened, and whether it is used."""
    with _shelf(data) as shelf:
        for key in shelf.all():
            made = datetime.fromtimestamp(key.made, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            click.echo(f"{key.id}  {key.state}  made {made}  openings {key.openings}  {key.circuit}")


@circuits.command("rotate")
@DATA
def rotate(*, data: Path) -> None:
    """Replace every key that is used; new ones are made when they are needed."""
    with _shelf(data) as shelf:
        count = shelf.retire_all()
    click.echo(f"{count} retired; their secrets are erased.")


@circuits.command("revoke")
@click.argument("key_id")
@DATA
def revoke(*, key_id: str, data: Path) -> None:
    """Replace the key KEY_ID, which others may know, and note that."""
    with _shelf(data) as shelf:
        shelf.revoke(key_id)
    click.echo(f"{key_id}: revoked; its secret is erased.")


@contextmanager
def _shelf(data: Path) -> Iterator[KeyShelf]:
    from fhirtwin.errors import Fault
    from fhirtwin.key_shelf import NAME, KeyShelf

    path = data / NAME
    if not path.exists():
        raise click.ClickException(
            f"{path} is not there: this gateway keeps no keys (FHIRTWIN_CIRCUIT_KEYS=kept does)."
        )
    try:
        shelf = KeyShelf(path)
        try:
            yield shelf
        finally:
            shelf.close()
    except Fault as error:
        raise click.ClickException(f"{path} cannot be used: {_reason(error.__cause__, data)}.") from None


def _reason(cause: BaseException | None, data: Path) -> str:
    """Why, as SQLite or the system says it, and who can use it when it may only be that nobody lets us."""
    told = (cause.strerror if isinstance(cause, OSError) else None) or str(cause)
    if isinstance(cause, (OSError, sqlite3.OperationalError)):
        return f"{told}; run this as the user of the gateway, who must be able to write to the folder {data}"
    return told
