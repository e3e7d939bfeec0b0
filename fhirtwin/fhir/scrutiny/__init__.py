"""What `$validate` looks at beyond what decides whether a resource is stored.

`fhirtwin.fhir.validator` says whether a resource is R4 at all, quickly, for everything that comes in. Here time is
taken: profiles, extensions by their definitions, codes of code systems that are known whole, what is around a resource
in its Bundle, and what is wise though not demanded.
"""

from fhirtwin.fhir.scrutiny.scrutinise import scrutinise

__all__ = ["scrutinise"]
