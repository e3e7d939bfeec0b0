"""Predictors of kidney disease. Every module here exports one `PREDICTOR`; the registry lists the folder."""
