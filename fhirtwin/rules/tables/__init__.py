"""What labels and guidelines say of medicines that meet: data, one subject a file, each row with its source.

Rows name ingredients or groups of `fhirtwin.terms.drugs`. What no text says is not here.
"""
