"""`fhirtwin pgx`: what a folder of guideline texts would bring."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.group()
def pgx() -> None:
    """Pharmacogenetic guideline texts that the hospital gives."""


@pgx.command("check")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
def check(*, folder: Path) -> None:
    """Read FOLDER as FHIRTWIN_PGX_KB_PATH would be read at start, and say what it brings; nothing is stored."""
    from fhirtwin.pgx.knowledge import folder as reading

    with click.progressbar(length=1, label="reading", file=sys.stderr) as bar:

        def show(done: int, total: int, _name: str) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        found = reading.load(folder, show)
        bar.update(max(0, (bar.length or 0) - bar.pos))
    for file in found.files:
        shown = f"  shown under: {'; '.join(file.licences)}" if file.licences else ""
        click.echo(f"{file.entries:>8,}  {file.name}  ({file.format}){shown}")
    for name in found.passed_over:
        click.echo(f"       -  {name}  (no texts to show)")
    click.echo(f"{len(found):>8,}  texts about {len(found.by_drug):,} drugs")
