"""`fhirtwin model`: pack a model, publish it to an engine and to gateways, verify it, list what is there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from fhirtwin.cli.model_ask import ask

if TYPE_CHECKING:
    from fhirtwin.packages.package import Package
    from fhirtwin.packages.signing import Authors
    from fhirtwin.settings import Settings

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False)
_MODELS = click.option("--models", type=_FOLDER, help="Folder of models of an engine.")
_DATA = click.option("--data", type=_FOLDER, help="Data folder of a gateway, which gets no weights.")
_AUTHORS = click.option("--authors", type=click.Path(path_type=Path, dir_okay=False), help="File of trusted authors.")

_KINDS = {
    "weights": "panel",
    "trees": "trees",
    "network": "network",
    "scoring_file": "polygenic",
    "matrices": "trajectory",
}
"""Options of `pack`, and the kinds of model that they are for."""


@click.group()
def model() -> None:
    """Models as signed packages: an engine gets them whole, a gateway without the weights."""


model.add_command(ask)


@model.command("key")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def key(*, file: Path) -> None:
    """Make an author's private key in FILE, and print the public one, which others trust.

    A key that is there already is left as it is, and its public one printed.
    """
    from fhirtwin import keyfile
    from fhirtwin.packages import signing

    if file.exists():
        said = "is there already, and was left as it is"
    else:
        keyfile.make(file)
        said = "made. Keep it; whoever has it can sign models in your name"
    public = signing.public_hex(signing.private_key(file))
    click.echo(f"{file}: {said}. The public key:", err=True)
    click.echo(public)


@model.command("trust")
@click.argument("name")
@click.argument("public_key")
@_DATA
@_AUTHORS
def trust(*, name: str, public_key: str, data: Path | None, authors: Path | None) -> None:
    """Trust the author that we call NAME, whose public key is PUBLIC_KEY (64 hex digits)."""
    from fhirtwin.packages import signing

    path = _authors_path(data, authors)
    signing.trust(path, name, public_key)
    click.echo(f"{path}: models that {name} signed are trusted.")


@model.command("pack")
@click.argument("description", type=_FILE)
@click.option("--weights", type=_FILE, help="A linear panel: weights.safetensors, or a CSV.")
@click.option("--trees", type=_FILE, help="Boosted trees: the JSON that XGBoost saves.")
@click.option("--network", type=_FILE, help="A network: the JSON that `fhirtwin.training.writing` writes.")
@click.option("--scoring-file", type=_FILE, help="A polygenic score: a file of the PGS Catalog, on GRCh38.")
@click.option("--matrices", type=_FILE, help="A trajectory: JSON of a linear state-space model.")
@click.option("--reference", type=_FILE, help="FASTA of GRCh38, to look the alleles of a polygenic score up.")
@click.option("--golden", required=True, type=_FILE, help="JSON of cases whose answers are known.")
@click.option("--key", "key_file", required=True, type=_FILE, help="The author's private key (`fhirtwin model key`).")
@click.option("--out", required=True, type=_FOLDER, help="Folder in which the packages are made.")
def pack(
    *, description: Path, reference: Path | None, golden: Path, key_file: Path, out: Path, **numbers: Path | None
) -> None:
    """Make a signed package, and its public half, from a DESCRIPTION (JSON), golden cases and the model's numbers.

    The option that names the numbers says what kind of model it is.
    """
    from fhirtwin.packages import making, signing
    from fhirtwin.packages.makers.maker import Source

    given = [(_KINDS[name], path) for name, path in numbers.items() if path is not None]
    if len(given) != 1:
        options = ", --".join(name.replace("_", "-") for name in _KINDS)
        raise click.ClickException(f"Name the model's numbers by one of --{options}.")
    ((kind, path),) = given
    if reference is not None and kind != "polygenic":
        raise click.ClickException("--reference goes with --scoring-file.")
    made = making.pack(kind, Source(description, path, golden, reference), signing.private_key(key_file), out)
    model = made.package.model
    click.echo(f"{made.whole}: for engines. It has the weights.")
    click.echo(f"{made.public}: for gateways. It has {len(made.package.cases)} golden cases and no weights.")
    if model.told >= model.secrets:
        click.echo(
            f"The golden cases tell all weights: give fewer than {model.secrets} of them if the weights are secret.",
            err=True,
        )
    click.echo(f"SHA-256 of the model: {made.package.hash}")


@model.command("publish")
@click.argument("what")
@click.option("--version", default="", help="Roll back: WHAT is the id of a model, and this version is served again.")
@_MODELS
@_DATA
@_AUTHORS
def publish(*, what: str, version: str, models: Path | None, data: Path | None, authors: Path | None) -> None:
    """Publish the package WHAT to an engine's --models, or its public half to a gateway's --data.

    A running engine serves it within a second or two; a gateway asks it from its next start on. With --version, roll
    back.
    """
    from fhirtwin.packages import package, published

    folder, trusted = _folder(models, data), _trusted(data, authors)
    restart = " Restart the gateway." if data else ""
    if version:
        gone = published.roll_back(folder, what, version, trusted)
        click.echo(f"{folder}: {what} is at {version} again.{restart}")
        if gone:
            click.echo(f"Served no more: {', '.join(gone)}.")
        return
    if not Path(what).is_dir():
        raise click.ClickException(
            f"{what} is not a folder: give that of a package, or, to serve what {folder} has of a model again, its id "
            "and --version."
        )
    given = package.read(Path(what), trusted)
    published.publish(given, folder, with_weights=models is not None)
    click.echo(f"{folder}: {given.id} is at {given.version}, by {given.author}.{restart}")


@model.command("withdraw")
@click.argument("name")
@_MODELS
@_DATA
def withdraw(*, name: str, models: Path | None, data: Path | None) -> None:
    """Serve no version of the model NAME any more, or ask it no more; its versions are kept."""
    from fhirtwin.packages import published

    folder = _folder(models, data)
    gone = published.withdraw(folder, name)
    click.echo(f"{folder}: {name} {', '.join(gone)} withdrawn.{' Restart the gateway.' if data else ''}")


@model.command("list")
@_MODELS
@_DATA
@_AUTHORS
def list_(*, models: Path | None, data: Path | None, authors: Path | None) -> None:
    """Print every version of every model of a folder: how it stands and is evaluated, its hash and its author."""
    from fhirtwin.errors import Incorrect
    from fhirtwin.packages import published
    from fhirtwin.packages.kinds.table import kind_of

    folder, trusted = _folder(models, data), _trusted(data, authors)
    for one in published.entries(folder):
        state = "current" if one.current else "served" if one.served else "kept"
        try:
            found = published.load(one, trusted)
        except Incorrect as error:
            click.echo(f"{one.id} {one.version}  refused: {error}")
        else:
            half = "whole" if found.is_whole else "public half"
            under = kind_of(found.kind).declared
            how = f"{found.kind}, {under.profile.name}, depth {under.depth}"
            click.echo(f"{one.id} {one.version}  {state}  {half}  {how}  {found.hash}  by {found.author}")


@model.command("verify")
@click.argument("folder", type=click.Path(path_type=Path, exists=True))
@_DATA
@_AUTHORS
@click.option("--engine", "url", default="", help="https://host:port or unix:/path of an engine to ask, sealed.")
@click.option("--engine-key", type=click.Path(path_type=Path), help="File of the secret shared with that engine.")
@click.option("--ca-file", type=_FILE, help="Authority of that engine's certificate; default: the system's.")
def verify(
    *, folder: Path, data: Path | None, authors: Path | None, url: str, engine_key: Path | None, ca_file: Path | None
) -> None:
    """Check a package, whole or its public half: signature, hashes, bounds, golden cases.

    With --engine, each golden case is sealed as a patient would be, and the engine's answers are held against the
    package's. When one is wrong, and it is the engine of the gateway of --data, it is in quarantine from then on.
    """
    from fhirtwin.packages import package

    trusted = _trusted(data, authors) if data or authors else None
    found = package.read(folder, trusted)
    signed = f"signed by {found.author}" if trusted is not None else f"signed by {found.manifest.author}"
    half = "whole package" if found.is_whole else "public half, without weights"
    click.echo(f"{found.id} {found.version}: {found.kind}, {half}, {signed}, SHA-256 {found.hash}")
    if trusted is None:
        click.echo(
            "Nobody said whom to trust (--authors): compare that key with the author's by another way.", err=True
        )
    click.echo(_declared(found))
    if found.is_whole:
        click.echo(f"The weights give the right answers to {len(found.cases)} golden cases.")
    else:
        click.echo(
            f"{len(found.cases)} golden cases agree with the public half: values, and percentages of sums where it has "
            "any. Here are no weights to evaluate them by; --engine asks an engine that has."
        )
    if not url:
        return
    from fhirtwin import golden
    from fhirtwin.cli.caught import quarantining

    if engine_key is None:
        raise click.ClickException("--engine needs --engine-key: the secret that this engine shares with a gateway.")
    with quarantining(_settings(data) if data else None, url, found.hash):
        told = golden.ask(found, url, engine_key, str(ca_file) if ca_file else None)
    click.echo(
        f"The engine at {url} answers {told.cases} sealed golden cases right; a sum is off by {told.off} at most."
    )


def _declared(found: Package) -> str:
    """How a model is evaluated, and what of a call costs, as far as that is known without the weights."""
    from fhirtwin.packages.kinds.table import kind_of

    declared = kind_of(found.kind).declared
    profile = declared.profile
    lines = [
        f"Profile {profile.name}: depth {declared.depth} of {profile.levels}, error at most {profile.error:g} a "
        f"ciphertext before rounding. Packing: {declared.packing}."
    ]
    if found.is_whole:
        costs = [part.cost for part in found.model.served()]
        there, back = sum(cost.sealed_in for cost in costs), sum(cost.sealed_out for cost in costs)
        products = sum(cost.products for cost in costs)
        lines.append(f"A call for one patient takes ciphertexts: {there} there, {back} back; products: {products}.")
    return "\n".join(lines)


def _folder(models: Path | None, data: Path | None) -> Path:
    if models is not None and data is None:
        return models
    if data is not None and models is None:
        return _settings(data).models_path
    raise click.ClickException("Name either --models, of an engine, or --data, of a gateway.")


def _authors_path(data: Path | None, authors: Path | None) -> Path:
    if authors is not None:
        return authors
    if data is None:
        raise click.ClickException("Name the file of trusted authors by --authors, or a gateway's --data.")
    return _settings(data).authors_path


def _trusted(data: Path | None, authors: Path | None) -> Authors:
    from fhirtwin.packages import signing

    return signing.read_authors(_authors_path(data, authors))


def _settings(data: Path) -> Settings:
    from fhirtwin.settings import Settings

    return Settings.from_env(data=data.absolute())
