"""Stage 2: versions of resources, their search index and the facts read from them, kept in one database.

Speaks SQL and nothing else: no HTTP, no clinical knowledge, no opinion about who may see what.
"""

from fhirtwin.store.database import Store
from fhirtwin.store.past import Change, Past, Position
from fhirtwin.store.reading import Numbered, Page, Reader
from fhirtwin.store.writing import Writer

__all__ = ["Change", "Numbered", "Page", "Past", "Position", "Reader", "Store", "Writer"]
