"""How genomics in FHIR is read: one kind of result a file. Pure, as mappers are; nothing is chosen between sources.

The forms of Genomics Reporting STU1, STU2 and STU3 are all read. Somatic results, and those of other people, are not.

*Source*: http://hl7.org/fhir/uv/genomics-reporting/STU3/, and the examples in its repository.
"""
