"""Totals of several institutions, from the rows of each to a mean or a model of all: what `fhirtwin aggregate` does.

Rows stay at their site; only whole numbers summed up over them are sealed. No FHIR, no network.
"""
