"""The CDS Hooks door: discovery, calls, feedback, and the services behind them.

The way of a call is `routes` → `desk`: `trust` (who calls) → `calls` (what is asked) → a service in time (`deadlines`,
`workers`) → `answers` (what may leave). What a service does lies in `services/`, one file each, what several share in
`advice/`; they call interactions and rules. No service imports another, and none sees Flask.

For authors of services: `service`, `contexts`, `composite`, `alone`.

Source: https://cds-hooks.hl7.org/2.0/
"""
