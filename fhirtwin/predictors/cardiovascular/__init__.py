"""Predictors of heart and vessel disease. Every module here exports one `PREDICTOR`; the registry lists the folder."""
