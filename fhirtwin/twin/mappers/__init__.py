"""twin/mappers."""
