"""Resources become facts: one resource type a file, each exporting `MAPPER`.

A mapper is pure: no clock, no network, no store, and no other mapper. It reads codes, never text.
"""
