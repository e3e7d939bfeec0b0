"""Steps, named by number and purpose."""
