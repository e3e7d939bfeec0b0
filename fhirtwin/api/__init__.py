"""Doors: the only HTTP. Each reads a request, calls one function and renders what comes back."""
