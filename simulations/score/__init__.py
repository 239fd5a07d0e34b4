"""Played scenarios against the truth: one report each, one for a suite, tables, plots and pages."""

from simulations.score.report import Report
from simulations.score.run import score
from simulations.score.suite import SuiteReport, suite

__all__ = ["Report", "SuiteReport", "score", "suite"]
