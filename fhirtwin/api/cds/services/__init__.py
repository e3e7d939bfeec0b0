"""api/cds/services."""
