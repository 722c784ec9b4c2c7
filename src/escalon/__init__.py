"""Escalon runs a first-in-human dose-escalation and expansion trial from protocol to report."""

__version__ = "0.1.0"
