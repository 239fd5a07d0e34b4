"""Reasons not to arm, in the words of the texts."""

from collections.abc import Callable, Sequence

from simulations.vehicle.craft import Craft, Say
from simulations.vehicle.modes import AUTO, Mode

_REPEAT_S = 31.0
_SENSORS_S = 23.6
"""Seconds after boot until the inertial sensors have agreed long enough."""
_CRITICAL = 2

Blocks = Callable[[], Sequence[str]]


class Arming:
    """The checks before arming.

    Args:
        craft: estimator and parameters.
        blocks: reasons of the other organs (battery, fence ...).
        missions: number of mission items, home counted.
        say: to the ground station.
    """

    def __init__(
        self, craft: Craft, *, blocks: Blocks, missions: Callable[[], int], say: Say
    ) -> None:
        self._craft = craft
        self._blocks = blocks
        self._missions = missions
        self._say = say
        self._next_say_s = _REPEAT_S

    def reboot(self) -> None:
        """Begin the repetition of the texts anew."""
        self._next_say_s = _REPEAT_S

    def standing(self) -> list[str]:
        """Reasons that hold in any mode: they make the pre-arm bit of SYS_STATUS bad."""
        found: list[str] = []
        if self._craft.estimator.boot_s < _SENSORS_S:
            found.append("Accels inconsistent")
        found.extend(self._blocks())
        return found

    def against(self, mode: Mode) -> list[str]:
        """Reasons against arming in a mode, the first of which is said."""
        found: list[str] = []
        if mode.number == AUTO:
            if not int(self._craft.parameters["AUTO_OPTIONS"]) & 1:
                return ["AUTO mode not armable"]
            if self._missions() < 2:
                found.append("Mode requires mission")
        elif not mode.armable:
            return [f"{mode.name} mode not armable"]
        found.extend(self.standing())
        if mode.position and not self._craft.estimator.position_ok:
            found.append("Need Position Estimate")
        return found

    def step(self, *, armed: bool) -> None:
        """Repeat what stands against arming every half minute."""
        boot_s = self._craft.estimator.boot_s
        if armed or boot_s < self._next_say_s:
            return
        self._next_say_s = boot_s + _REPEAT_S
        for text in self.standing():
            self._say(f"PreArm: {text}", _CRITICAL)
