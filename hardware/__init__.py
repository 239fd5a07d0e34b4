"""Drivers, one per device and library, behind the Protocols of `hardware.ports`."""
