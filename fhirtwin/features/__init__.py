"""Stage 4: TwinState in, FeatureVector or Refusal out. Nothing here is sealed, opened or sent anywhere."""
