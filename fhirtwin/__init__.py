"""fhirtwin: a digital twin of each patient beside the EHR, with risks computed on ciphertext.

Read `docs/architecture.md` for the two roads through this package and for who may import whom.
"""

__version__ = "0.1.0"
