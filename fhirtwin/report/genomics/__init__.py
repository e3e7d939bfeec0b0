"""Stage 8, of genes: what is known of a genome and what it means for medicines becomes FHIR. No store, no HTTP."""
