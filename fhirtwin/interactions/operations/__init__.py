"""Operations, one a file: a module that exports `OPERATION` is one; route and CapabilityStatement follow.

*Source*: http://hl7.org/fhir/R4/operations.html.
"""
