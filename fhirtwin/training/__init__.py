"""Trains what engines evaluate. For whoever makes models: no gateway and no engine imports anything of it.

What it needs beside fhirtwin comes with `pip install 'fhirtwin[training]'` and is imported where it is used.
"""
