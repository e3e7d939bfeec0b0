"""What a person's genes mean for an order: rows of guidelines and labels, as findings.

`fhirtwin.pgx` knows the tables and nothing of orders; here orders, medicines taken and genes of the twin meet them.
"""
