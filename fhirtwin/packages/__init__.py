"""Models as signed folders of data: what an owner packs, an engine holds whole and a gateway without the weights.

Here is no patient, no key that opens and no code of a model's author: a package is JSON and one tensor, read strictly,
and every byte of it is hostile until the signature of a trusted author was checked.
"""
