"""The FHIR door: reads requests, calls one interaction, renders its answer. It decides nothing."""
