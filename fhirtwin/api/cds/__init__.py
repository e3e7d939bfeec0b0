"""api/cds."""
