"""Public test kits: what every predictor and every mapper must keep, for their authors to run.

Nothing that serves a patient imports this package.
"""
