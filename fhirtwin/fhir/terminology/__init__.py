"""Code systems and value sets, as far as they can be told without a terminology server. No request is made here."""
