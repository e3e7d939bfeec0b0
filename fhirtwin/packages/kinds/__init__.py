"""What a package can hold: a module for each kind of model, behind the protocol of `fhirtwin.packages.kind`.

A new kind is a module here that reads it, one in `fhirtwin.packages.makers` that packs it, and a way to ask it in
`fhirtwin.vault.asking`, each named in the table beside; nothing else knows kinds apart.
"""
