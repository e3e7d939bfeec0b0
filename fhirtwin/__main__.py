"""`python -m fhirtwin` is the command `fhirtwin`."""

from fhirtwin.cli import main

if __name__ == "__main__":
    main()
