"""A DMTF Redfish service over HTTPS: gateways and Linux terminals. No payment terminal is known to expose one."""
