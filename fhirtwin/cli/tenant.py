"""`fhirtwin tenant`: the gateways that one engine serves, what each may have, and what it had."""

from __future__ import annotations

from pathlib import Path

import click

_FOLDER = click.option(
    "--tenants",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("tenants"),
    show_default=True,
    help="Folder of the tenants, as `fhirtwin engine --tenants` is given it.",
)


@click.group()
def tenant() -> None:
    """The gateways of one engine, each with its secret and its quotas; the engine sees a change within seconds."""


@tenant.command("add")
@click.argument("name")
@_FOLDER
@click.option("--bytes-per-minute", default=200_000_000, show_default=True, help="0 for no limit.")
@click.option("--seconds-per-minute", default=30.0, show_default=True, help="Of evaluation; 0 for no limit.")
@click.option("--answers-per-day", default=20_000, show_default=True, help="Of each model; 0 for no limit.")
@click.option(
    "--model",
    "models",
    multiple=True,
    default=("everything",),
    show_default=True,
    help="What it may ask for: everything, panel, tables, or a model's digest; may be repeated.",
)
def add(
    *,
    name: str,
    folder: Path,
    bytes_per_minute: int,
    seconds_per_minute: float,
    answers_per_day: int,
    models: tuple[str, ...],
) -> None:
    """Let the gateway that we call NAME in, with a new secret."""
    from fhirtwin.engine.tenants import folder as tenants
    from fhirtwin.engine.tenants.tenant import Limits

    limits = Limits(bytes_per_minute or None, seconds_per_minute or None, answers_per_day or None)
    key = tenants.add(folder, name, limits, models)
    click.echo(f"{key}: made. Copy it to the gateway, mode 0600, and give it there as --engine-key.")


@tenant.command("list")
@_FOLDER
@click.option(
    "--models",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of published models, to name them by id and version.",
)
@click.option("--json", "as_json", is_flag=True, help="A JSON object for each tenant, with digests.")
def list_(*, folder: Path, models: Path | None, as_json: bool) -> None:
    """Print what each tenant may have, and what it had in the last period of use and ever."""
    import json

    from fhirtwin.engine.tenants import folder as tenants
    from fhirtwin.engine.tenants import telling
    from fhirtwin.engine.tenants.tenant import written_rules
    from fhirtwin.engine.tenants.usage import Usage

    found = {one.name: one for one in tenants.read(folder).values()}
    usage = Usage(folder / tenants.USAGE)
    all_had = usage.all()
    usage.close()
    known = {} if as_json else telling.names(models)
    for name, one in sorted(found.items()):
        had = [each for each in all_had if each.tenant == name]
        if as_json:
            used = {each.what: {"now": each.amount, "ever": each.ever} for each in had}
            click.echo(json.dumps({"name": name, **written_rules(one.limits, one.models), "used": used}))
        else:
            click.echo("\n".join(telling.lines(one, had, known)))


@tenant.command("remove")
@click.argument("name")
@_FOLDER
def remove(*, name: str, folder: Path) -> None:
    """Let the gateway that we call NAME in no longer."""
    from fhirtwin.engine.tenants import folder as tenants

    tenants.remove(folder, name)
    click.echo(f"{folder}: {name} is let in no longer.")


@tenant.command("rotate")
@click.argument("name")
@_FOLDER
@click.option("--finish", is_flag=True, help="The gateway has the next secret: the present one counts no longer.")
def rotate(*, name: str, folder: Path, finish: bool) -> None:
    """Make the next secret of NAME, which counts beside the present one until --finish."""
    from fhirtwin.engine.tenants import folder as tenants

    if finish:
        tenants.end_rotation(folder, name)
        click.echo(f"{folder}: only the new secret of {name} counts now.")
        return
    key = tenants.begin_rotation(folder, name)
    click.echo(
        f"{key}: made. Copy it to the gateway and start that again; then `fhirtwin tenant rotate {name} --finish`."
    )
