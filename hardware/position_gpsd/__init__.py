"""Position from gpsd: a reader of its JSON of our own, and gpsd-py3 behind the same Protocol."""

from hardware.position_gpsd.driver import GpsdPosition, GpsdSource
from hardware.position_gpsd.judge import Rules
from hardware.position_gpsd.stream import ByteStream, Connect

__all__ = ["ByteStream", "Connect", "GpsdPosition", "GpsdSource", "Rules"]
