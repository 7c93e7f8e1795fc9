"""The device side of a DMTF Redfish service: a practice gateway of no maker."""
