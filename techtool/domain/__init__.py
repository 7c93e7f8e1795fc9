"""Pure: what a terminal, a release, a rule, a plan and a visit are. No I/O, no clock, no ids of its own."""
