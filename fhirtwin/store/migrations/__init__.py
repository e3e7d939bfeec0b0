"""The history of the schema, one file a step, run by `fhirtwin db upgrade` and when a database is new."""
