"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path

import click

DATA = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("data"),
    envvar="FHIRTWIN_DATA",
    show_default=True,
    help="Folder of the database, the token and the keys.",
)
SERVER = click.option("--server", default="", help="FHIR base of a running gateway; default: the one on --data.")
CA_FILE = click.option(
    "--ca-file",
    type=click.Path(exists=True, dir_okay=False),
    default=None,
    help="Authority of that gateway's certificate; default: the system's.",
)
