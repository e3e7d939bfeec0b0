"""What FHIR calls interactions and operations: one a file, named by the specification, no web framework.

Each is one unit of work: access → validate → store → answer. HTTP, bundles and hooks all call these.
"""
