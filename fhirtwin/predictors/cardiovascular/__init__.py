"""predictors/cardiovascular."""
