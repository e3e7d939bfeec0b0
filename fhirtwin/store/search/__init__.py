"""A search becomes SQL: conditions, links, order and pages over the tables of the index. Nothing is written here."""
