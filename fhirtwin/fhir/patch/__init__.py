"""JSON Patch and FHIRPath Patch: a parsed resource in, the changed one out. Nothing is validated or stored here."""
