"""The tables of the search index: one for each way of comparing, rows written with the resource they are about.

Each row belongs to a resource (`resource.number`), a search parameter (`SearchParameter.number`) and an `item`.

* `parameter` is negative for a second reading of the same parameter; see the tables.
* `item` tells values of one repeating element from those of another, so that a composite can ask for values of the
  same element: 0 for an element of the resource itself, 1 + its index for `Observation.component`, `useContext` and the
  other elements that composites are of. Components of one composite match in rows of the same resource and item; where
  `Component.apart` says so, in any item. A negative item is of a value that no composite looks at.
* `place` only makes the row different from others.
* An element that is there and has nothing to compare (a CodeableConcept with a text alone) makes one row with empty
  texts or nulls in the table of its parameter's kind: `:missing` needs to look in that table alone.
* `_id` and `_lastUpdated` are the columns `id` and `last_updated` of `resource`.

PostgreSQL takes about 2,700 bytes into an index entry. Texts longer than `MAX_TEXT` characters are kept by
`fhirtwin.store.index.kept`: so much of them and a digest, so that equal texts stay equal; who compares must ask with
`kept(text)` too. Of folded strings only the beginning is kept, see `search_string`.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import BigInteger, Column, Double, Index, Integer, MetaData, String, Table

MAX_TEXT: Final = 256
"""Most characters of a text in an index row, but for a digest; one takes at most 4 bytes, an index has two at most."""
WINDOW: Final = 128
"""How far apart the windows of a long text begin, and the longest text that `:contains` can look for."""

metadata = MetaData()
"""Of all tables, these and those of `fhirtwin.store.schema`."""

TEXT: Final = String()
"""Texts sort by their characters in both databases: what begins alike stands together, whatever the language."""

# SQLite numbers rows itself only where the column is exactly INTEGER.
ROW_NUMBER: Final = BigInteger().with_variant(Integer(), "sqlite")


def _index_table(name: str, *columns: Column[Any], finds: tuple[tuple[str, ...], ...]) -> Table:
    """A table by resource, to check a condition and to replace all rows of one, with an index for each way to find."""
    return Table(
        name,
        metadata,
        Column("resource", ROW_NUMBER, primary_key=True, autoincrement=False),
        Column("parameter", Integer, primary_key=True, autoincrement=False),
        Column("place", Integer, primary_key=True, autoincrement=False),
        Column("item", Integer, nullable=False),
        *columns,
        *(Index(f"ix_{name}_{found[0]}", "parameter", *found, "resource") for found in finds),
        sqlite_with_rowid=False,
    )


search_token = _index_table(
    "search_token",
    Column("code", TEXT, nullable=False),
    Column("system", TEXT, nullable=False),
    finds=(("code", "system"),),
)
"""Codes, codings, identifiers, booleans. `code` as `index.token_code` makes it, `system` empty where there is none.

A `code` element has the system that its binding implies (`SearchParameter.implied_system`): one row, and `|code` must
find it too. Of a reference parameter: the Reference's identifier, for `:identifier`.
Negative parameter, for `:of-type`: `code` is the identifier's value, `system` is `[type system]|[type code]`.
"""

search_string = _index_table(
    "search_string",
    Column("folded", TEXT, nullable=False),
    Column("exact", TEXT, nullable=False),
    finds=(("folded",),),
)
"""Texts. `folded` is the first `MAX_TEXT` characters of `fold(text)`: cut what is asked for by a beginning likewise.
`exact` is `kept(text)`.

Of a token parameter: the texts that `:text` looks at (display, text, text of the identifier's type).
Negative parameter: the further windows of a text whose folded form is longer than `MAX_TEXT`; each begins `WINDOW`
characters after the one before, so that `:contains` of at most `WINDOW` characters finds a text in `parameter` or
`-parameter` wherever it stands. `exact` is empty there.
"""

search_date = _index_table(
    "search_date",
    Column("starts", BigInteger, nullable=False),
    Column("ends", BigInteger, nullable=False),
    finds=(("starts", "ends"),),
)
"""Intervals [starts, ends) in microseconds since 1970, UTC. Open sides are `index.BEGINNING` and `index.END`."""

search_reference = _index_table(
    "search_reference",
    Column("target_id", TEXT, nullable=False),
    Column("target_type", TEXT, nullable=False),
    Column("target_base", TEXT, nullable=False),
    finds=(("target_id", "target_type", "target_base"),),
)
"""What a Reference points at; base empty for this server. `#id` of a contained one, empty where there is no URL.
Canonicals and URLs that are no `[base]/Type/id` are rows of `search_uri` with this parameter."""

search_uri = _index_table(
    "search_uri",
    Column("uri", TEXT, nullable=False),
    Column("version", TEXT, nullable=False),
    finds=(("uri", "version"),),
)
"""URIs. Of a canonical what follows `|` is the `version`; else that is empty. Case counts."""

search_number = _index_table(
    "search_number",
    Column("low", Double),
    Column("high", Double),
    finds=(("low", "high"),),
)
"""Numbers: low and high are the same for a number; what is asked for has the implicit precision."""

search_quantity = _index_table(
    "search_quantity",
    Column("low", Double),
    Column("high", Double),
    Column("system", TEXT, nullable=False),
    Column("code", TEXT, nullable=False),
    Column("unit", TEXT, nullable=False),
    Column("canonical", TEXT),
    Column("canonical_low", Double),
    Column("canonical_high", Double),
    finds=(("low", "high"), ("canonical", "canonical_low", "canonical_high")),
)
"""Quantities, Ranges, Money and the bounds of SampledData, as intervals [low, high] from minus to plus infinity.

`canonical` is the UCUM base units (`g.m-3`) where system and code are a known UCUM unit, and the bounds in these;
null else. `terms.ucum.canonical(code)` tells the same of what is asked for.
"""

INDEXES: Final = (
    search_token,
    search_string,
    search_date,
    search_reference,
    search_uri,
    search_number,
    search_quantity,
)
"""In the order of `fhirtwin.store.index_values.Rows`."""

search_index = Table("search_index", metadata, Column("form", String(64), primary_key=True))
"""One row: of what definitions and rules the index was made. Where they are others now, it must be made anew."""
