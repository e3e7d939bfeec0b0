"""The command `fhirtwin`. Each command imports what it needs when it runs, so the engine never loads patient code."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn, TextIO

import click

from fhirtwin import __version__
from fhirtwin.cli.aggregate import aggregate
from fhirtwin.cli.cds import cds
from fhirtwin.cli.circuit_keys import circuits
from fhirtwin.cli.cohort import cohort
from fhirtwin.cli.model import model
from fhirtwin.cli.my_twin import my_twin
from fhirtwin.cli.options import CA_FILE, DATA, SERVER
from fhirtwin.cli.pgx import pgx
from fhirtwin.cli.quarantine import quarantine
from fhirtwin.cli.tenant import tenant
from fhirtwin.errors import FhirtwinError

if TYPE_CHECKING:
    from fhirtwin.settings import Settings


class Command(click.Group):
    """A group whose commands tell the project's errors in a line, without a stack trace."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an error of the project or of a file becomes exit code 1 and its text."""
        try:
            return super().invoke(ctx)
        except FhirtwinError as error:
            click.echo(f"fhirtwin: {error}", err=True)
            for issue in error.issues:
                if issue.text != str(error):
                    click.echo(f"  {', '.join(issue.expression)} {issue.text}".rstrip(), err=True)
            ctx.exit(1)
        except OSError as error:
            if error.filename is None or error.strerror is None:
                raise
            click.echo(f"fhirtwin: {error.filename}: {error.strerror}", err=True)
            ctx.exit(1)


_SECONDS_TO_STOP: Final = 10.0
"""That an engine whose starter has gone has to finish what it is at."""


@click.group(cls=Command, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="fhirtwin")
def main() -> None:
    """A digital twin of each patient beside the EHR, with risks computed on ciphertext."""


main.add_command(aggregate)
main.add_command(cds)
main.add_command(cohort)
main.add_command(quarantine)
main.add_command(tenant)
main.add_command(pgx)
main.add_command(my_twin)
main.add_command(model)


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@DATA
@click.option("--open", "open_", is_flag=True, help="No sign-in; only on a loopback address.")
@click.option("--engine", "engine_url", default="", help="https://host:port or unix:/path; else an engine is started.")
@click.option("--engine-key", type=click.Path(path_type=Path), help="File of the secret shared with that engine.")
@click.option("--tls-cert", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--tls-key", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--behind-proxy", is_flag=True, help="A proxy that ends TLS stands in front.")
def serve(
    *,
    host: str,
    port: int,
    data: Path,
    open_: bool,
    engine_url: str,
    engine_key: Path | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    behind_proxy: bool,
) -> None:
    """Start the gateway, and an engine beside it unless --engine names one."""
    from fhirtwin.serving import gateway

    overrides: dict[str, Any] = {"data": data.absolute()}
    overrides |= {"open": True} if open_ else {}
    overrides |= {"behind_proxy": True} if behind_proxy else {}
    overrides |= {"engine_url": engine_url} if engine_url else {}
    overrides |= {"engine_key_file": str(engine_key.absolute())} if engine_key else {}
    gateway.serve(_settings(**overrides), host, port, tls_cert, tls_key)


@main.command()
@click.option("--listen", required=True, help="unix:/path, or host:port (TLS unless loopback).")
@click.option("--engine-key", type=click.Path(path_type=Path), help="File of the secret shared with one gateway.")
@click.option("--tenants", type=click.Path(path_type=Path), help="Folder of several gateways (`fhirtwin tenant add`).")
@click.option("--workers", default=0, type=click.IntRange(0), help="Processes; one a core when left out.")
@click.option("--memory-mb", default=1024, show_default=True, type=click.IntRange(256), help="Limit of one worker.")
@click.option("--tls-cert", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--tls-key", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--batch", is_flag=True, help="Also score thousands of patients in a call, for `fhirtwin cohort`.")
@click.option("--models", type=click.Path(path_type=Path, file_okay=False), help="Folder of published models.")
@click.option(
    "--authors", type=click.Path(path_type=Path, dir_okay=False), help="File of authors whose models to serve."
)
@click.option("--with-stdin", is_flag=True, hidden=True, help="Stop when standard input ends: its starter has gone.")
def engine(
    *,
    listen: str,
    engine_key: Path | None,
    tenants: Path | None,
    workers: int,
    memory_mb: int,
    tls_cert: Path | None,
    tls_key: Path | None,
    batch: bool,
    models: Path | None,
    authors: Path | None,
    with_stdin: bool,
) -> NoReturn:
    """Start an engine: it evaluates on ciphertext and holds no key that opens and no patient."""
    from fhirtwin import machine
    from fhirtwin.engine import server
    from fhirtwin.engine.models import Models

    if (models is None) != (authors is None):
        raise click.ClickException("--models and --authors go together: models are served of trusted authors alone.")
    if with_stdin:
        _stop_when_stdin_ends()
    published = Models(models.absolute(), authors.absolute()) if models and authors else None
    server.run(
        listen,
        engine_key,
        workers or machine.cores(),
        memory_mb,
        tenants=tenants,
        tls_cert=tls_cert,
        tls_key=tls_key,
        circuits=server.batch if batch else tuple,
        models=published,
    )


@main.command()
def demo() -> None:
    """Start everything in a fresh folder, show one patient's cards and reports, and stop."""
    from fhirtwin import demo as show

    show.run()


@main.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@DATA
@SERVER
@CA_FILE
@click.option("--patient", default="", help="Whose genome a VCF file is: ID or Patient/ID.")
@click.option("--sample", default="", help="Name of this patient's sample in the VCF file; * for its only one.")
@click.option("--absent-is-reference", is_flag=True, help="Positions that the VCF does not show are as the reference.")
@click.option("--grch38", is_flag=True, help="The VCF file is on GRCh38 although its header does not say so.")
@click.option(
    "--outside-calls",
    type=click.File(encoding="utf-8"),
    help="File of calls beside the VCF: lines of gene and diplotype, parted by tabs.",
)
def load(
    *,
    files: tuple[Path, ...],
    data: Path,
    server: str,
    ca_file: str | None,
    patient: str,
    sample: str,
    absent_is_reference: bool,
    grch38: bool,
    outside_calls: TextIO | None,
) -> None:
    """Post FHIR files (transaction bundles, single resources, NDJSON; .gz too) to a running gateway.

    Prints each Patient that was stored, as `fhirtwin assess` takes it. A VCF file (.vcf, .vcf.gz) needs --patient;
    what was called of each gene is printed.
    """
    from fhirtwin import loading

    gateway = loading.Gateway.of(data, server, ca_file or "")
    if any(file.name.lower().endswith((".vcf", ".vcf.gz", ".vcf.bgz")) for file in files):
        said = {"sample": sample, "outside-calls": outside_calls.read() if outside_calls else ""}
        said |= {"absent-is-reference": "true" if absent_is_reference else "", "grch38": "true" if grch38 else ""}
        loading.refuse_unclear(files, patient)
        for line in gateway.import_vcf(files[0], patient, said):
            click.echo(line)
        return
    failed = 0
    with click.progressbar(length=1000 * len(files), label="loading", file=sys.stderr) as bar:
        for number, file in enumerate(files, 1):
            for problem in gateway.load(file, lambda share: bar.update(round(1000 * share))):
                failed += 1
                click.echo(f"\n{file}: {problem}", err=True)
            bar.update(1000 * number - bar.pos)
    for stored in gateway.patients:
        click.echo(stored)
    if failed:
        raise click.ClickException(f"{failed} could not be stored; each is named above.")


@main.command()
@click.argument("patient")
@DATA
@SERVER
@CA_FILE
@click.option("--date", "day", default="", help="Assess as of this day (YYYY-MM-DD).")
@click.option("--predictor", "predictors", multiple=True, help="Only this predictor; may be repeated.")
@click.option("--store", is_flag=True, help="Keep the RiskAssessments.")
def assess(
    *, patient: str, data: Path, server: str, ca_file: str | None, day: str, predictors: tuple[str, ...], store: bool
) -> None:
    """Print the risks of PATIENT (ID or Patient/ID) as FHIR, computed by a running gateway and its engine."""
    from fhirtwin import loading

    click.echo(loading.Gateway.of(data, server, ca_file or "").assess(patient, day, predictors, store=store))


@main.group()
def keys() -> None:
    """Make and replace the secrets that are files, and the keys of circuits that are kept."""


keys.add_command(circuits)


@keys.command("make")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def keys_make(*, file: Path) -> None:
    """Write a new secret to FILE with mode 0600: the one a gateway and an engine on another machine share."""
    from fhirtwin import keyfile

    keyfile.make(file)
    click.echo(f"{file}: made. Copy it to the other machine, mode 0600, and give it to both as --engine-key.")


@keys.command("list")
@DATA
def keys_list(*, data: Path) -> None:
    """Say which secrets the data folder holds, and whether each is usable."""
    from fhirtwin import keyfile

    for name, purpose in (("token", "callers of the gateway"), ("engine.key", "messages to the engine")):
        path = data / name
        if path.exists():
            keyfile.read(path)
        click.echo(f"{path}  {'usable' if path.exists() else 'made at first start'}  ({purpose})")


@keys.command("rotate")
@click.argument("name", type=click.Choice(["token", "engine.key"]))
@DATA
def keys_rotate(*, name: str, data: Path) -> None:
    """Replace a secret of the data folder; the gateway reads it at its next start."""
    from fhirtwin import keyfile

    path = data / name
    path.unlink(missing_ok=True)
    keyfile.make(path)
    click.echo(f"{path}: replaced. Restart the gateway.")


@main.group()
def ehr() -> None:
    """The EHRs that may call CDS services with tokens of their own; a running gateway sees a change at once."""


@ehr.command("register")
@click.argument("name")
@click.option("--iss", required=True, help="What its tokens have as `iss`.")
@click.option("--jku", multiple=True, help="https address of its key set; may be repeated.")
@click.option("--jwks", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="File of its key set.")
@click.option("--tenant", "tenants", multiple=True, help="A `tenant` that its tokens may have; may be repeated.")
@click.option("--fhir-server", "servers", multiple=True, help="Base URL it may name as fhirServer; may be repeated.")
@click.option("--origin", "origins", multiple=True, help="Origin of web pages that may call; may be repeated.")
@click.option("--private-network", is_flag=True, help="Its servers have addresses of a private network.")
@click.option("--stored-patients", is_flag=True, help="It may ask about patients that are stored here.")
@click.option("--replace", is_flag=True, help="Put it in the place of the one of that name.")
@DATA
def ehr_register(
    *,
    name: str,
    iss: str,
    jku: tuple[str, ...],
    jwks: Path | None,
    tenants: tuple[str, ...],
    servers: tuple[str, ...],
    origins: tuple[str, ...],
    private_network: bool,
    stored_patients: bool,
    replace: bool,
    data: Path,
) -> None:
    """Let the EHR that we call NAME in by its tokens."""
    from fhirtwin.api.cds.trust import clients, trust_file

    given: dict[str, Any] = {"name": name, "iss": iss, "jku": [*jku], "tenants": [*tenants]}
    given |= {"fhir_servers": [*servers], "origins": [*origins]}
    given |= {"private_network": private_network, "stored_patients": stored_patients}
    given |= {"jwks": trust_file.read_key_set(jwks)} if jwks else {}
    path = _settings(data=data.absolute()).trust_path
    with trust_file.changing(path) as known:
        if replace:
            known[:] = [one for one in known if one.name != name]
        elif any(one.name == name for one in known):
            raise click.ClickException(f"There is an EHR {name} already; --replace puts this one in its place.")
        known.append(clients.read(given, "EHR"))
    click.echo(f"{path}: {name} may call.")


@ehr.command("list")
@DATA
def ehr_list(*, data: Path) -> None:
    """Print the EHRs that may call, one JSON object a line."""
    import json

    from fhirtwin.api.cds.trust import clients, trust_file

    for one in trust_file.read(_settings(data=data.absolute()).trust_path).all:
        click.echo(json.dumps(clients.written(one)))


@ehr.command("remove")
@click.argument("name")
@DATA
def ehr_remove(*, name: str, data: Path) -> None:
    """Let the EHR that we call NAME in no longer."""
    from fhirtwin.api.cds.trust import trust_file

    path = _settings(data=data.absolute()).trust_path
    with trust_file.changing(path) as known:
        if not any(one.name == name for one in known):
            raise click.ClickException(f"There is no EHR {name} in {path}.")
        known[:] = [one for one in known if one.name != name]
    click.echo(f"{path}: {name} may call no longer.")


@main.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@DATA
def backup(*, file: Path, data: Path) -> None:
    """Copy the database to FILE while the gateway goes on; keys and the token are not in it."""
    from fhirtwin.store.databases import upkeep

    upkeep.backup(_settings(data=data.absolute()), file)
    click.echo(f"{file}: written and checked.")


@main.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@DATA
def restore(*, file: Path, data: Path) -> None:
    """Put the database of FILE into --data, which must not hold one yet."""
    from fhirtwin.store.databases import upkeep

    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    upkeep.restore(file, _settings(data=data.absolute()))
    click.echo(f"{data}: restored from {file}.")


@main.group()
def db() -> None:
    """The database as a whole: its schema, and its way into another one."""


@db.command("upgrade")
@DATA
def db_upgrade(*, data: Path) -> None:
    """Bring the database of --data to this version's schema and search parameters; make a backup first."""
    from fhirtwin.store.databases import upkeep

    def told(done: int, total: int) -> None:
        if done == total or done % 10_000 == 0:
            click.echo(f"indexed {done} of {total} resources", err=True)

    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    click.echo(upkeep.upgrade(_settings(data=data.absolute()), told))


@db.command("copy")
@click.option("--to", "url", required=True, help="URL of the empty database to fill; leave a password to PGPASSFILE.")
@DATA
def db_copy(*, url: str, data: Path) -> None:
    """Copy everything in the database of --data (or of FHIRTWIN_DATABASE_URL) into another, empty one.

    The gateway must not run meanwhile: what it stored after the copy began would stay behind.
    """
    from dataclasses import replace

    from fhirtwin.serving.gateway import claimed
    from fhirtwin.store.databases import copying

    settings = _settings(data=data.absolute())
    if not data.is_dir():
        raise click.ClickException(f"{data} is not there; name the data folder of a gateway.")
    with claimed(settings.data), click.progressbar(length=1, label="copying", file=sys.stderr) as bar:

        def show(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        counts = copying.copy(settings, replace(settings, database_url=url), show)
    for name, count in counts.items():
        click.echo(f"{count:>12}  {name}")
    click.echo("Every row arrived. Set FHIRTWIN_DATABASE_URL to the new database, then start the gateway.")


def _stop_when_stdin_ends() -> None:
    import os
    import signal
    import threading
    import time

    def wait() -> None:
        while os.read(0, 1):  # not sys.stdin: the lock of its buffer would be held in the workers that are forked
            pass
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(_SECONDS_TO_STOP)
        os._exit(1)  # the signal came while the server was being set up, and nobody heard it; workers end with us

    threading.Thread(target=wait, name="stdin-watch", daemon=True).start()


def _settings(**overrides: Any) -> Settings:
    from fhirtwin.settings import Settings

    return Settings.from_env(**overrides)
