"""CDS services, one file each, named `<hook>_<purpose>.py` and exporting `SERVICE`; the registry finds them."""
