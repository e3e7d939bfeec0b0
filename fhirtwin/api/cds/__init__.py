"""The CDS Hooks door: discovery, calls, and the services behind them.

Routes read a call and check the answer; what a service does lies in `services/`, one file each, and calls interactions.
No service imports another, and none sees Flask.

Source: https://cds-hooks.hl7.org/2.0/
"""
