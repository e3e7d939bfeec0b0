"""What several services share: the twin of a call; drafts and follow-up, judged by rules. Neither HTTP nor JSON."""
