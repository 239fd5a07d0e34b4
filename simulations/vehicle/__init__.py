"""A MAVLink copter that behaves on the wire as ArduPilot does, on simulated time."""
