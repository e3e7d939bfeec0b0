"""`fhirtwin model ask`: one model, one question, through a running engine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from fhirtwin.asking import Answer
    from fhirtwin.courier import Courier
    from fhirtwin.packages.package import Package
    from fhirtwin.settings import Settings

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_OF_A_VCF = {
    "sample": "--sample",
    "absent_is_reference": "--absent-is-reference",
    "grch38": "--grch38",
    "filters": "--filter",
}
_TIMEOUT_SECONDS = 30.0


@click.command("ask")
@click.argument("name")
@click.option("--values", "values_file", type=_FILE, help="JSON of the model's inputs, by their names.")
@click.option("--vcf", "vcf_file", type=_FILE, help="VCF 4 on GRCh38, plain or gzipped, for a polygenic score.")
@click.option("--sample", help="Which sample of the VCF, when it has several.")
@click.option("--absent-is-reference", is_flag=True, help="What the VCF does not show is as the reference.")
@click.option("--grch38", is_flag=True, help="The VCF is on GRCh38 although its header does not say so.")
@click.option("--filter", "filters", multiple=True, help="A value of FILTER that is trusted besides PASS.")
@click.option("--version", default="", help="Of the model; the current one when left out.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--data",
    required=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Data folder of a gateway, which has the model's public half and trusts its author.",
)
@click.option("--engine", "url", default="", help="https://host:port or unix:/path; default: FHIRTWIN_ENGINE_URL.")
@click.option("--engine-key", type=click.Path(path_type=Path), help="File of the secret shared with that engine.")
@click.option("--ca-file", type=_FILE, help="Authority of that engine's certificate; default: the system's.")
def ask(*, name: str, values_file: Path | None, vcf_file: Path | None, version: str, as_json: bool, **way: Any) -> None:
    """Ask the model NAME, of any kind, for the numbers of a file, computed on ciphertext.

    All inputs must be there, but for those that boosted trees do without: a note then names them. Nothing is stored,
    and nothing is looked up: who asks answers for whose numbers they are.
    """
    from fhirtwin import asking
    from fhirtwin.cli.caught import ADVICE, quarantining
    from fhirtwin.files import read_file
    from fhirtwin.pgx.vcf_rows import Reading
    from fhirtwin.settings import Settings

    if (values_file is None) == (vcf_file is None):
        raise click.ClickException("Give the inputs with --values, or with --vcf for a polygenic score.")
    if vcf_file is None and (said := [option for name, option in _OF_A_VCF.items() if way[name]]):
        raise click.ClickException(f"{said[0]} goes with --vcf, and says nothing of --values.")
    settings = _settings(way)
    found = _model(settings, name, version)
    _refuse_quarantined(settings)
    share, gateway = settings.golden_share, Settings.from_env(data=settings.data)
    with (
        _courier(settings) as courier,
        quarantining(gateway, settings.engine_url, found.hash, advice=ADVICE),
    ):
        if values_file is not None:
            values = asking.read_values(read_file(values_file, asking.LONGEST_VALUES), str(values_file))
            answer = asking.of_values(found, values, courier.evaluate, settings, share)
        elif vcf_file is not None:
            reading = Reading(way["sample"], way["absent_is_reference"], frozenset(way["filters"]), way["grch38"])
            with vcf_file.open("rb") as stream:
                answer = asking.of_vcf(found, stream, reading, courier.evaluate, share)
    click.echo(json.dumps(_object(found, answer), indent=1) if as_json else _text(found, answer))


def _settings(way: dict[str, Any]) -> Settings:
    from fhirtwin.settings import Settings

    overrides: dict[str, Any] = {"data": way["data"].absolute()}
    overrides |= {"engine_url": way["url"]} if way["url"] else {}
    overrides |= {"engine_key_file": str(way["engine_key"].absolute())} if way["engine_key"] else {}
    overrides |= {"engine_ca_file": str(way["ca_file"])} if way["ca_file"] else {}
    settings = Settings.from_env(**overrides)
    if not settings.engine_url:
        raise click.ClickException("Name the engine: --engine https://host:port or unix:/path, and --engine-key.")
    return settings


def _model(settings: Settings, name: str, version: str) -> Package:
    from fhirtwin.packages import published, signing

    authors = signing.read_authors(settings.authors_path)
    there = published.entries(settings.models_path) if settings.models_path.exists() else []
    for one in there:
        if one.id == name and (one.version == version if version else one.current or one.wrong):
            if not (one.served or one.wrong):
                raise click.ClickException(
                    f"{settings.models_path}: {name} {version} was withdrawn, or rolled back, and is asked no more; "
                    f"`fhirtwin model publish {name} --version {version} --data {settings.data}` takes that back."
                )
            return published.load(one, authors)
    known = ", ".join(sorted({one.id for one in there if one.current})) or "none"
    raise click.ClickException(
        f"{settings.models_path} has no {'version ' + version if version else 'current version'} of model {name}; "
        f"there is {known}. `fhirtwin model publish` adds one."
    )


def _refuse_quarantined(settings: Settings) -> None:
    """An engine that a gateway asks no more is not asked from its folder either."""
    from fhirtwin.quarantine import Quarantine
    from fhirtwin.store import Store

    if settings.has_database:
        store = Store.open(settings)
        try:
            Quarantine(store).require()
        finally:
            store.close()


@contextmanager
def _courier(settings: Settings) -> Iterator[Courier]:
    from fhirtwin import keyfile
    from fhirtwin.courier import Courier

    if not settings.engine_key_path.exists():
        raise click.ClickException(
            f"{settings.engine_key_path} does not exist: copy the secret of the engine at {settings.engine_url} there, "
            "or name its file by --engine-key. A new one would not be the engine's."
        )
    secret = bytes.fromhex(keyfile.read(settings.engine_key_path))
    courier = Courier(settings.engine_url, secret, timeout=_TIMEOUT_SECONDS, ca_file=settings.engine_ca_file or None)
    try:
        yield courier
    finally:
        courier.close()


def _text(found: Package, answer: Answer) -> str:
    lines = [
        f"{found.id} {found.version}: {found.kind}, signed by {found.author}",
        f"SHA-256 {found.hash}; sealed under {answer.profile}",
    ]
    if answer.taken:
        lines.append(f"asked for: {', '.join(f'{one.name} {one.value} {one.unit}'.rstrip() for one in answer.taken)}")
    for one in answer.told:
        more = f"  {one.more}" if one.more else ""
        lines.append(f"{one.label or one.name}: {', '.join(map(str, one.values))} {one.unit}{more}")
        lines.append(f"  rounded: {one.rounded_to}")
    return "\n".join([*lines, *answer.notes])


def _object(found: Package, answer: Answer) -> dict[str, Any]:
    """Numbers as texts, so that no digit is lost."""
    told = [
        {
            "name": one.name,
            "label": one.label,
            "values": [str(value) for value in one.values],
            "unit": one.unit,
            "rounded": one.rounded_to,
            "category": one.more,
        }
        for one in answer.told
    ]
    return {
        "model": found.id,
        "version": found.version,
        "kind": found.kind,
        "author": found.author,
        "sha256": found.hash,
        "profile": answer.profile,
        "inputs": [{"name": one.name, "value": one.value, "unit": one.unit} for one in answer.taken],
        "told": told,
        "notes": list(answer.notes),
    }
