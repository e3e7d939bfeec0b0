"""Stage 3: resources become facts. State, mappers (one resource kind a file) and what is derived as of a day.

Pure: no database, no network, no clock, no key. Mappers do not know one another.
"""
