"""What leaves: completed, held to the rules of CDS Hooks, noted for feedback. No advice is made here."""
