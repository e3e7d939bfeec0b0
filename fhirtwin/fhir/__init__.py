"""The FHIR R4 language: JSON, structure, references, dates, outcomes. No storage, no HTTP, no clinical meaning here."""
