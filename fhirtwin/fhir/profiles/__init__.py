"""Profiles: what a StructureDefinition asks of a resource beyond R4 itself.

A definition becomes a tree of `elements.Element` once; `judge` walks a resource and the tree together. What a profile
asks and cannot be judged here becomes an `information` issue that names it: nothing is passed over in silence.
"""

from fhirtwin.fhir.profiles.elements import Profile, compile_profile
from fhirtwin.fhir.profiles.judging import judge
from fhirtwin.fhir.profiles.known import Known, KnownToR4, core

__all__ = ["Known", "KnownToR4", "Profile", "compile_profile", "core", "judge"]
