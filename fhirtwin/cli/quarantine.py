"""`fhirtwin quarantine`: see how the engine stands, keep it from being asked, and let it be asked again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fhirtwin.cli.options import DATA

if TYPE_CHECKING:
    from fhirtwin.store import Store


@click.group()
def quarantine() -> None:
    """The quarantine of an engine that answered wrongly; a running gateway sees a change at once."""


@quarantine.command("show")
@DATA
def show(*, data: Path) -> None:
    """Say whether the engine is asked, what its answers were, and how many reports are withdrawn."""
    from fhirtwin.interactions import doubting

    with _store(data) as store, store.snapshot() as reader:
        standing = reader.standings.read()
        withdrawn, standing_yet = (0, 0) if standing.quarantined is None else doubting.tally(reader)
    click.echo(f"answers right: {standing.right}; wrong: {standing.wrong}; last right: {_told(standing.last_right)}")
    if standing.quarantined is None:
        click.echo("The engine is asked.")
        return
    since = "ever" if standing.doubted_from is None else _told(standing.doubted_from)
    how = f"withdrawn ({withdrawn})"
    if not standing.withdrawn:
        how = f"not all withdrawn yet ({withdrawn} withdrawn, {standing_yet} not)"
    click.echo(f"In quarantine since {_told(standing.quarantined)}. Reports stored since {since}: {how}.")
    click.echo("Cards, and answers that are not stored, are not called back: look at what was done on them since then.")


@quarantine.command("impose")
@click.option("--since", required=True, help="Withdraw reports stored since: 2026-06-01T08:00:00Z, or `ever`.")
@DATA
def impose(*, since: str, data: Path) -> None:
    """Keep the engine from being asked, and have the gateway withdraw what was stored since a moment."""
    from fhirtwin.quarantine import microseconds

    moment = None if since == "ever" else _read(since)
    with _store(data) as store, store.write() as write:
        write.standings.quarantine(microseconds(), moment)
    click.echo("In quarantine. The gateway withdraws the reports at its next call or start.")


@quarantine.command("lift")
@click.option("--anyway", is_flag=True, help="Also while reports are still to be withdrawn: they then stand.")
@DATA
def lift(*, anyway: bool, data: Path) -> None:
    """Let the engine be asked again, once the cause is known and gone."""
    from fhirtwin.quarantine import microseconds

    with _store(data) as store, store.write() as write:
        standing = write.standings.read()
        if standing.quarantined is None:
            raise click.ClickException("The engine is not in quarantine.")
        if not (standing.withdrawn or anyway):
            raise click.ClickException(
                "Not all reports that are doubted are withdrawn yet: start the gateway, or wait for it; `fhirtwin "
                "quarantine show` tells."
            )
        shown_again = write.standings.lift(microseconds())
    click.echo("The engine is asked again.")
    if shown_again:
        click.echo(
            f"Cards that are shown again although they were overridden since reports are doubted: {shown_again}."
        )


@contextmanager
def _store(data: Path) -> Iterator[Store]:
    from fhirtwin.settings import Settings
    from fhirtwin.store import Store

    settings = Settings.from_env(data=data.absolute())
    if not data.is_dir():
        raise click.ClickException(f"{data} is not there; name the data folder of a gateway.")
    store = Store.open(settings)
    try:
        yield store
    finally:
        store.close()


def _read(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter("--since takes a moment, 2026-06-01T08:00:00Z, or `ever`.") from None
    if moment.tzinfo is None:
        raise click.BadParameter("--since needs a time zone: 2026-06-01T08:00:00Z.")
    if moment > datetime.now(UTC):
        raise click.BadParameter("--since lies in the future, and nothing was stored since then.")
    return int(moment.timestamp() * 1_000_000)


def _told(moment: int | None) -> str:
    return "never" if moment is None else datetime.fromtimestamp(moment / 1e6, UTC).isoformat(timespec="seconds")
