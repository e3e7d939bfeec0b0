"""Carries sealed bytes to the engine and back, between stages 5 and 7.

It sees ciphertext only: no key that opens, no patient, no feature in the clear.
"""

from fhirtwin.courier.courier import Courier

__all__ = ["Courier"]
