"""Canonical code systems, concept sets and UCUM units: what codes mean, without a resource in sight."""
