"""Guideline texts from a folder that the hospital gives (`pgx_kb_path`): read once at start, shown with their licence.

Nothing of it ships with this project. `folder.load` reads; `entries.Knowledge.of_drug` answers. Each format is a module
of its own: `clinpgx` (annotations, PharmCAT's files), `cpic_rows` (a line each, and the API's answers), `fda_index`.
`docs/pgx/knowledge.md`.
"""
