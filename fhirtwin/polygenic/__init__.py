"""Polygenic scores in clear: what a scoring file weighs, and how many copies of it a person's VCF shows.

Here is no key and nothing sealed. A score that is not what its author meant is a wrong number that looks right, so what
cannot be told for certain is left out by name, counted, and refused beyond a limit that the author set.
"""
