"""The parameters a mission client, a ground station or a test meets, with ArduPilot's defaults.

Names are those of Copter 4.7; `specs` gives the older names where 4.6 has them.
A real vehicle has 1349; a name that is not here is answered as an unknown one: not at all.
"""

from simulations.vehicle.parameters import INT8, INT16, INT32, REAL32, Spec

_B, _H, _I, _F = INT8, INT16, INT32, REAL32

_STREAM_GROUPS = (
    "RAW_SENS", "EXT_STAT", "RC_CHAN", "RAW_CTRL", "POSITION",
    "EXTRA1", "EXTRA2", "EXTRA3", "PARAMS", "ADSB",
)  # fmt: skip
STREAM_CHANNELS = 3
"""Links the vehicle opens: the first waits for its client, the others follow."""

_COMMON: tuple[tuple[str, int, float], ...] = (
    # Flight modes, pilot, failsafes
    ("FORMAT_VERSION", _H, 120), ("MAV_TYPE", _B, 2), ("PILOT_THR_BHV", _H, 0),
    ("FS_GCS_ENABLE", _B, 0), ("FS_GCS_TIMEOUT", _F, 5), ("FS_OPTIONS", _I, 16),
    ("FS_THR_ENABLE", _B, 1), ("FS_THR_VALUE", _H, 975), ("FS_EKF_ACTION", _B, 1),
    ("FS_EKF_THRESH", _F, 0.8), ("FS_EKF_FILT", _F, 5), ("FS_VIBE_ENABLE", _B, 1),
    ("FS_CRASH_CHECK", _B, 1), ("FS_DR_ENABLE", _B, 2), ("FS_DR_TIMEOUT", _H, 30),
    ("FLTMODE1", _B, 7), ("FLTMODE2", _B, 9), ("FLTMODE3", _B, 6), ("FLTMODE4", _B, 3),
    ("FLTMODE5", _B, 5), ("FLTMODE6", _B, 0), ("FLTMODE_CH", _B, 5), ("INITIAL_MODE", _B, 0),
    ("SIMPLE", _B, 0), ("SUPER_SIMPLE", _B, 0), ("DISARM_DELAY", _B, 10),
    ("ANGLE_MAX", _H, 3000), ("PILOT_SPEED_UP", _H, 250), ("PILOT_SPEED_DN", _H, 0),
    ("PILOT_ACCEL_Z", _H, 250), ("PILOT_TKOFF_ALT", _F, 0), ("THR_DZ", _H, 100),
    ("FRAME_CLASS", _B, 1), ("FRAME_TYPE", _B, 0), ("GUID_TIMEOUT", _F, 3), ("GUID_OPTIONS", _I, 0),
    ("AUTO_OPTIONS", _I, 0), ("MIS_TOTAL", _H, 0), ("MIS_RESTART", _B, 0), ("MIS_OPTIONS", _H, 0),
    ("PHLD_BRAKE_RATE", _H, 8), ("PHLD_BRAKE_ANGLE", _H, 3000), ("ACRO_TRAINER", _B, 2),
    ("BRAKE_TIMEOUT", _H, 0), ("TERRAIN_ENABLE", _B, 1), ("LOG_BITMASK", _I, 176126),
    ("LOG_DISARMED", _B, 0), ("SCHED_LOOP_RATE", _H, 400), ("EK3_ENABLE", _B, 1),
    ("EK2_ENABLE", _B, 0), ("AHRS_EKF_TYPE", _B, 3), ("AHRS_ORIENTATION", _B, 0),
    ("EK3_SRC1_POSXY", _B, 3), ("EK3_SRC1_POSZ", _B, 1), ("EK3_SRC1_VELXY", _B, 3),
    ("EK3_SRC1_VELZ", _B, 3), ("EK3_SRC1_YAW", _B, 1), ("SERIAL0_PROTOCOL", _B, 2),
    ("SERIAL0_BAUD", _I, 115), ("SERIAL1_PROTOCOL", _B, 2), ("SERIAL1_BAUD", _I, 57),
    ("SERIAL2_PROTOCOL", _B, 2), ("SERIAL2_BAUD", _I, 57),
    # Arming
    ("ARMING_REQUIRE", _B, 1), ("ARMING_OPTIONS", _I, 0), ("ARMING_ACCTHRESH", _F, 0.75),
    ("ARMING_MIS_ITEMS", _I, 0), ("ARMING_NEED_LOC", _B, 0), ("BRD_SAFETY_DEFLT", _B, 1),
    # Return, landing
    ("RTL_ALT", _I, 1500), ("RTL_ALT_FINAL", _H, 0), ("RTL_SPEED", _H, 0), ("RTL_CONE_SLOPE", _F, 3),
    ("RTL_CLIMB_MIN", _H, 0), ("RTL_LOIT_TIME", _I, 5000), ("RTL_ALT_TYPE", _B, 0),
    ("RTL_OPTIONS", _I, 0), ("LAND_SPEED", _H, 50), ("LAND_SPEED_HIGH", _H, 0),
    ("LAND_ALT_LOW", _H, 1000), ("LAND_REPOSITION", _B, 1), ("WP_YAW_BEHAVIOR", _B, 2),
    # Navigation and control
    ("WPNAV_SPEED", _F, 1000), ("WPNAV_RADIUS", _F, 200), ("WPNAV_SPEED_UP", _F, 250),
    ("WPNAV_SPEED_DN", _F, 150), ("WPNAV_ACCEL", _F, 250), ("WPNAV_ACCEL_C", _F, 0),
    ("WPNAV_ACCEL_Z", _F, 100), ("WPNAV_JERK", _F, 1), ("WPNAV_RFND_USE", _B, 1),
    ("WPNAV_TER_MARGIN", _F, 10), ("LOIT_SPEED", _F, 1250), ("LOIT_ACC_MAX", _F, 500),
    ("LOIT_BRK_ACCEL", _F, 250), ("LOIT_BRK_DELAY", _F, 1), ("LOIT_BRK_JERK", _F, 500),
    ("LOIT_ANG_MAX", _F, 0), ("CIRCLE_RADIUS", _F, 1000), ("CIRCLE_RATE", _F, 20),
    ("PSC_JERK_XY", _F, 5), ("PSC_JERK_Z", _F, 5), ("PSC_POSXY_P", _F, 1), ("PSC_POSZ_P", _F, 1),
    ("PSC_VELXY_P", _F, 2), ("PSC_VELXY_I", _F, 1), ("PSC_VELXY_D", _F, 0.25),
    ("PSC_VELZ_P", _F, 5), ("PSC_ACCZ_P", _F, 0.5), ("PSC_ACCZ_I", _F, 1), ("PSC_ANGLE_MAX", _F, 0),
    ("ATC_SLEW_YAW", _F, 6000), ("ATC_ACCEL_Y_MAX", _F, 27000), ("ATC_ANG_YAW_P", _F, 4.5),
    ("ATC_ANG_RLL_P", _F, 4.5), ("ATC_ANG_PIT_P", _F, 4.5), ("ATC_INPUT_TC", _F, 0.15),
    ("MOT_SPIN_ARM", _F, 0.1), ("MOT_SPIN_MIN", _F, 0.15), ("MOT_THST_HOVER", _F, 0.39),
    ("MOT_SPOOL_TIME", _F, 0.5), ("MOT_BAT_VOLT_MAX", _F, 12.8), ("MOT_BAT_VOLT_MIN", _F, 9.6),
    # Battery
    ("BATT_MONITOR", _B, 4), ("BATT_CAPACITY", _I, 3300), ("BATT_LOW_TIMER", _B, 10),
    ("BATT_LOW_VOLT", _F, 10.5), ("BATT_LOW_MAH", _F, 0), ("BATT_CRT_VOLT", _F, 0),
    ("BATT_CRT_MAH", _F, 0), ("BATT_FS_LOW_ACT", _B, 0), ("BATT_FS_CRT_ACT", _B, 0),
    ("BATT_FS_VOLTSRC", _B, 0), ("BATT_ARM_VOLT", _F, 0), ("BATT_ARM_MAH", _I, 0),
    ("BATT_OPTIONS", _I, 0), ("BATT_VOLT_MULT", _F, 10.1), ("BATT_AMP_PERVLT", _F, 17),
    # Fence, rally, mount, camera, receiver
    ("FENCE_ENABLE", _B, 0), ("FENCE_TYPE", _B, 7), ("FENCE_ACTION", _B, 1),
    ("FENCE_ALT_MAX", _F, 100), ("FENCE_ALT_MIN", _F, -10), ("FENCE_RADIUS", _F, 300),
    ("FENCE_MARGIN", _F, 2), ("FENCE_TOTAL", _B, 0), ("FENCE_AUTOENABLE", _B, 0),
    ("FENCE_OPTIONS", _H, 1), ("FENCE_NTF_FREQ", _F, 1), ("RALLY_TOTAL", _B, 0),
    ("RALLY_LIMIT_KM", _F, 0.3), ("RALLY_INCL_HOME", _B, 1),
    ("MNT1_TYPE", _B, 1), ("MNT1_DEFLT_MODE", _B, 3), ("MNT1_RC_RATE", _H, 0),
    ("MNT1_ROLL_MIN", _H, -30), ("MNT1_ROLL_MAX", _H, 30), ("MNT1_PITCH_MIN", _H, -90),
    ("MNT1_PITCH_MAX", _H, 25), ("MNT1_YAW_MIN", _H, -180), ("MNT1_YAW_MAX", _H, 180),
    ("MNT1_RETRACT_X", _F, 0), ("MNT1_RETRACT_Y", _F, 0), ("MNT1_RETRACT_Z", _F, 0),
    ("MNT1_NEUTRAL_X", _F, 0), ("MNT1_NEUTRAL_Y", _F, 0), ("MNT1_NEUTRAL_Z", _F, 0),
    ("MNT1_LEAD_RLL", _F, 0), ("MNT1_LEAD_PTCH", _F, 0), ("MNT1_SYSID_DFLT", _B, 0),
    ("MNT1_DEVID", _I, 0), ("MNT1_OPTIONS", _B, 0), ("MNT2_TYPE", _B, 0),
    ("CAM1_TYPE", _B, 1), ("CAM1_DURATION", _F, 0.1), ("CAM1_SERVO_ON", _H, 1300),
    ("CAM1_SERVO_OFF", _H, 1100), ("CAM1_TRIGG_DIST", _F, 0), ("CAM1_RELAY_ON", _B, 1),
    ("CAM1_INTRVAL_MIN", _F, 0), ("CAM1_FEEDBAK_PIN", _B, -1), ("CAM1_OPTIONS", _B, 0),
    ("CAM1_MNT_INST", _B, 0), ("CAM_MAX_ROLL", _H, 0), ("CAM_AUTO_ONLY", _B, 0),
    ("GPS1_TYPE", _B, 1), ("GPS_AUTO_SWITCH", _B, 1), ("GPS_HDOP_GOOD", _H, 140),
    ("RC_OVERRIDE_TIME", _F, 3), ("RC_OPTIONS", _I, 32), ("RCMAP_ROLL", _B, 1),
    ("RCMAP_PITCH", _B, 2), ("RCMAP_THROTTLE", _B, 3), ("RCMAP_YAW", _B, 4),
    ("SYSID_ENFORCE", _B, 0), ("STAT_BOOTCNT", _H, 1), ("STAT_FLTTIME", _I, 0),
    ("STAT_RUNTIME", _I, 0), ("COMPASS_USE", _B, 1), ("COMPASS_ENABLE", _B, 1),
    ("INS_GYRO_FILTER", _H, 20), ("INS_ACCEL_FILTER", _H, 20), ("GND_TEMP", _F, 0),
    ("AVOID_ENABLE", _B, 3),
    # The simulation itself
    ("SIM_SPEEDUP", _F, 1), ("SIM_BATT_VOLTAGE", _F, 12.6), ("SIM_BATT_CAP_AH", _F, 0),
    ("SIM_GPS1_ENABLE", _B, 1), ("SIM_GPS1_GLTCH_X", _F, 0),
    ("SIM_GPS1_GLTCH_Y", _F, 0), ("SIM_GPS1_GLTCH_Z", _F, 0), ("SIM_RC_FAIL", _B, 0), ("SIM_UART_LOSS", _F, 0),
    ("SIM_WIND_SPD", _F, 0), ("SIM_WIND_DIR", _F, 180), ("SIM_WIND_TURB", _F, 0),
    ("SIM_WIND_DIR_Z", _F, 0), ("SIM_WIND_T", _F, 0), ("SIM_DRIFT_SPEED", _F, 0.05),
)  # fmt: skip


def specs(firmware: str) -> tuple[Spec, ...]:
    """The table of one firmware.

    Args:
        firmware: ``4.7`` or ``4.6``.
    """
    new = firmware != "4.6"
    named: list[tuple[str, int, float]] = (
        [("MAV_SYSID", _H, 1), ("MAV_GCS_SYSID", _H, 255), ("MAV_GCS_SYSID_HI", _H, 0),
         ("MAV_OPTIONS", _I, 0), ("MAV_TELEM_DELAY", _B, 0), ("ARMING_SKIPCHK", _I, 0)]
        if new
        else [("SYSID_THISMAV", _H, 1), ("SYSID_MYGCS", _H, 255), ("TELEM_DELAY", _B, 0),
              ("ARMING_CHECK", _I, 1)]
    )  # fmt: skip
    for channel in range(STREAM_CHANNELS):
        prefix = f"MAV{channel + 1}_" if new else f"SR{channel}_"
        named += [(prefix + group, _H, 0.0) for group in _STREAM_GROUPS]
    return tuple(Spec(*row) for row in (*named, *_COMMON))


def stream_parameter(firmware: str, link: int, group: str) -> str:
    """Name of the rate of one stream group on one link."""
    return f"MAV{link + 1}_{group}" if firmware != "4.6" else f"SR{link}_{group}"
