"""An autopilot heard over MAVLink: bytes of a link in, positions, attitudes and states out.

The only place of pymavlink outside the simulated vehicle, and the only one where NED exists: what
leaves this package is WGS84, ENU and body FRD.
"""
