"""What Alembic runs: the steps, on the connection and inside the transaction that the store hands over."""

from __future__ import annotations

from alembic import context

from fhirtwin.store.schema import metadata

# SQLite can roll a schema change back; Alembic does not expect it to.
context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
context.run_migrations()
