"""The shared mathematics of the sealed road: parameter profiles, packing, circuits and wire forms.

Here are no keys and no patients. Both sides of the trust boundary import this package; neither sends the other a
context: each builds it from a named, pinned profile.
"""
