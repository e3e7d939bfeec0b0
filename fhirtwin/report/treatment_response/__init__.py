"""Expected response to candidate medicines for one person, side by side, as FHIR: a List and RiskAssessments.

`fhirtwin.pgx.response` adds up published effects; here the person's genes, medicines and conditions meet them. What it
is and is not: `docs/pgx/response.md`.
"""
