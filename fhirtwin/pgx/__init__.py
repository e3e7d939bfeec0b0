"""Pure knowledge of genes and medicines: genotypes become phenotypes, and phenotypes become advice.

Nothing of FHIR, of HTTP, of a store or of a patient's record may be in it: words and numbers in, facts out.
"""
