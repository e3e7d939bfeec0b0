"""What can be predicted: one file a predictor, in families, and the registry that finds them.

Here is no patient, no key and no FHIR resource: a predictor names the facts it needs and excludes, turns their values
into features, and turns a linear predictor back into a probability. The engine reads the same files for the weights.
"""
