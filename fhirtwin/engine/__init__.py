"""Stage 6: the untrusted side. It multiplies ciphertexts by weights it loaded at start.

Never here: a key that opens, a FHIR resource, a patient, anything of `vault`, `store`, `twin`, `features` or `fhir`.
Requests change nothing, so one that is sent again is merely answered again; evaluation keys, which are public, are
remembered so that they need not be sent each time.
"""
