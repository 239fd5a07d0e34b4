"""A stand-in for torchvision that holds only what a detector needs on a CPU-only machine.

The registry's torchvision is a CUDA build: beside a CPU torch its compiled operators are missing
and every prediction dies. Detection needs one operator of it, non-maximum suppression.
"""

from torchvision import ops

__all__ = ["ops"]
__version__ = "0.28.0+borderwatch.cpu"
