"""What tenants may have and had, for people: digests by the names of what is known here, where it is known.

The names are those of this installation, which is the engine's, and of a folder of published models.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from fhirtwin.engine.tenants.tenant import Tenant
from fhirtwin.engine.tenants.usage import Used
from fhirtwin.errors import Incorrect

_ANSWERS = "answers "
_PART = ", part "


def names(models: Path | None) -> dict[str, str]:
    """What an engine of this installation evaluates, by the digests that it counts answers under.

    Args:
        models: folder of published models; what of it is not as it must be has no name.

    Raises:
        Incorrect: it is no such folder.
    """
    from fhirtwin.ckks.circuits.batch import Batch
    from fhirtwin.pgx.circuits import tables
    from fhirtwin.predictors import registry

    panel = registry.panel(registry.all_predictors())
    known = {panel.digest: "panel", Batch(panel).digest: "panel, as a batch of many patients"}
    all_tables = tables.panels()
    known |= {one.digest: f"tables, {number} of {len(all_tables)}" for number, one in enumerate(all_tables, 1)}
    return known | (_published(models) if models else {})


def _published(folder: Path) -> dict[str, str]:
    from fhirtwin.packages import package, published

    known: dict[str, str] = {}
    for entry in published.entries(folder):
        with suppress(Incorrect):
            found = package.read(entry.folder, None)
            name = f"{found.id} {found.version}"
            parts = found.served()
            count = len(parts)
            told = [f"{name}{_PART}{number} of {count}" if count > 1 else name for number in range(1, count + 1)]
            known |= dict(zip((one.digest for one in parts), told, strict=True))
    return known


def lines(tenant: Tenant, had: Sequence[Used], known: Mapping[str, str]) -> Iterator[str]:
    """A tenant, what it may have, and what it had.

    Args:
        tenant: named in the first line.
        had: what it had.
        known: names by digests; what has none is told by its digest.
    """
    limits, used = tenant.limits, {one.what: one for one in had}
    yield tenant.name
    open_to = (known.get(one, one).partition(_PART)[0] for one in tenant.models)  # a package's hash opens all its parts
    yield f"  may ask for  {', '.join(sorted(open_to))}"
    yield f"  bytes  {_limit(limits.bytes_per_minute, 'a minute')}{_amounts(used.get('bytes'), 'minute')}"
    yield f"  seconds of evaluation  {_limit(limits.seconds_per_minute, 'a minute')}{_seconds(used)}"
    yield f"  answers  {_limit(limits.answers_per_day, 'a day of each model')}"
    for what, one in sorted(used.items()):
        if what.startswith(_ANSWERS):
            digest = what.removeprefix(_ANSWERS)
            yield f"    {known.get(digest, digest)}{_amounts(one, 'day')}"


def _limit(most: float | None, of_what: str) -> str:
    return "without limit" if most is None else f"at most {most:,} {of_what}"


def _amounts(one: Used | None, period: str, parts: int = 1) -> str:
    """The period that was counted last may be over: nothing was asked since."""
    if one is None:
        return "; none yet"
    return f"; {one.amount / parts:,.10g} in the last {period} of use, {one.ever / parts:,.10g} ever"


def _seconds(used: Mapping[str, Used]) -> str:
    return _amounts(used.get("microseconds"), "minute", 1_000_000)
