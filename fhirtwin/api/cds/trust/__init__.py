"""Which EHRs may call CDS services, and how each shows that it is the one.

A client sends a JWT that it signed; the trust file says which clients there are and where their keys come from. What
may not be in here: anything of a patient, and a reason that a caller gets to read. Reasons go to the log
`fhirtwin.security`.

Source: https://cds-hooks.hl7.org/2.0/#trusting-cds-clients
"""
