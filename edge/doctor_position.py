"""What `border-edge doctor` finds out about a node's own receiver."""

from edge import devices
from edge.config_position import GpsdPositionSettings
from edge.finding import Finding
from hardware.ports import Fix
from hardware.position_gpsd import GpsdPosition
from hardware.position_gpsd.judge import horizontal_sigma_m
from runtime.clock import Clock
from runtime.errors import AskOperator

_RECEIVER_S = 10.0


def look_at_receiver(settings: GpsdPositionSettings, clock: Clock) -> Finding:
    """Whether its gpsd answers, has a receiver, and that one a fix."""
    where = f"gpsd at {settings.host}:{settings.port}"
    try:
        receiver = devices.open_receiver(settings, clock)
    except AskOperator as error:
        return Finding(what="position", verdict="failed", detail=str(error))
    until_s = clock.monotonic_s() + _RECEIVER_S
    try:
        while clock.monotonic_s() < until_s:
            if receiver.read(1.0) > 0.0:
                break  # Refused: a second try within seconds finds the same.
            fix = receiver.latest()
            if fix.status in {"fix_2d", "fix_3d"}:
                return _fix(where, settings, receiver, fix)
        return _no_fix(where, settings, receiver)
    finally:
        receiver.close()


def _fix(where: str, settings: GpsdPositionSettings, receiver: GpsdPosition, fix: Fix) -> Finding:
    sigma_m = horizontal_sigma_m(fix)
    words = [
        f"{where} ({receiver.release})",
        "fix in space" if fix.status == "fix_3d" else "fix without a height",
        f"{fix.lon_deg:.6f} E {fix.lat_deg:.6f} N",
        "accuracy not stated" if sigma_m is None else f"within {sigma_m:.1f} m",
    ]
    if fix.satellites is not None:
        words.append(f"{fix.satellites} satellites")
    height = fix.status == "fix_3d" and fix.alt_hae_m is not None
    if not height and settings.reader == "gpsd-py3":
        words.append('no height above the ellipsoid: gpsd-py3 tells none, set reader = "own"')
    elif not height:
        words.append("no height above the ellipsoid: update gpsd to 3.20, or wait for satellites")
    return Finding(what="position", verdict="ok" if height else "warning", detail=", ".join(words))


def _no_fix(where: str, settings: GpsdPositionSettings, receiver: GpsdPosition) -> Finding:
    if not receiver.release:
        what = f"{where} does not answer; start it (systemctl start gpsd) or correct position.host"
        return Finding(what="position", verdict="failed", detail=f"{what} and position.port")
    fix = receiver.latest()
    if settings.device and settings.device not in receiver.devices:
        known = ", ".join(receiver.devices) or "none"
        return Finding(
            what="position",
            verdict="failed",
            detail=f"{where} has no {settings.device}; it has {known}: correct position.device",
        )
    if not receiver.devices:
        detail = f"{where} has no receiver: plug it in, and name it in gpsd's own configuration"
        return Finding(what="position", verdict="failed", detail=detail)
    return Finding(
        what="position",
        verdict="warning",
        detail=f"{where} ({receiver.release}) gave no usable fix in {_RECEIVER_S:g} s: {fix.reason}; "
        "look at the antenna's view of the sky, a cold receiver needs minutes",
    )
