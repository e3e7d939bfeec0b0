"""predictors/kidney."""
