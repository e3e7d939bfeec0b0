"""XML of FHIR: read into what `fhirtwin.fhir.codec` gives for JSON, and written from it.

Everything behind the door works on one form, the JSON one. Here may be nothing that decides whether a resource is
right: what XML can say and JSON cannot is refused, all else is left to `fhirtwin.fhir.validator`.

*Source*: http://hl7.org/fhir/R4/xml.html, Extensible Markup Language 1.0, Namespaces in XML 1.0.
"""

from __future__ import annotations

from fhirtwin.fhir.xml.converted import FromXml, from_xml, source_of
from fhirtwin.fhir.xml.reading import decode
from fhirtwin.fhir.xml.splicing import splice
from fhirtwin.fhir.xml.writing import encode

__all__ = ["FromXml", "decode", "encode", "from_xml", "source_of", "splice"]
