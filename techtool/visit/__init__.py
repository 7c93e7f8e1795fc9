"""The engine: plan, run, resume; the journal; the steps; the one port to a person."""
