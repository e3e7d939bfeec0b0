"""Starts a gateway and, unless one is named, an engine beside it; refuses what would put patients at risk first.

The processes of `fhirtwin serve` are made here. Nothing here reads a resource or knows a key but where its file lies.
"""
