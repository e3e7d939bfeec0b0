"""What differs between SQLite and PostgreSQL, and what is done to a database as a whole. No FHIR here."""
