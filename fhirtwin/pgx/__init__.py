"""Pure knowledge: alleles to phenotypes to advice. No HTTP, no store, no FHIR, no patient's name."""
