"""The short names by which texts call mission commands."""

_WORDS = {
    16: "WP", 17: "LoitUnlim", 18: "LoitTurns", 19: "LoitTime", 20: "RTL", 21: "Land",
    22: "Takeoff", 30: "ContinueAndChangeAlt", 31: "LoitAltitude", 82: "SplineWP",
    83: "AltitudeWait", 84: "VTOLTakeoff", 85: "VTOLLand", 92: "GuidedEnable", 93: "Delay",
    94: "PayloadPlace", 112: "CondDelay", 114: "CondDist", 115: "CondYaw", 177: "Jump",
    178: "ChangeSpeed", 179: "SetHome", 181: "SetRelay", 183: "SetServo", 189: "LandStart",
    193: "PauseContinue", 195: "SetROILocation", 197: "SetROINone", 201: "SetROI",
    203: "DigiCamCtrl", 205: "MountControl", 206: "SetCamTrigDst", 207: "FenceEnable",
    208: "Parachute", 211: "Gripper", 212: "AutotuneEnable", 213: "NavSetYawSpeed",
    216: "Sprayer", 222: "GuidedLimits", 531: "SetCamZoom", 600: "Tag", 601: "JumpToTag",
    1000: "PitchYaw", 2000: "ImageStart", 2001: "ImageStop", 2500: "VideoStart",
    2501: "VideoStop", 42702: "ScriptTime",
}  # fmt: skip


def spoken(command: int) -> str:
    """Name of a mission command, ``?`` for one without."""
    return _WORDS.get(command, "?")
