"""Calibration of cameras: the lens, the pose, the heading, and the acceptance walk."""
