"""Capture: queries, source verification, freeze, lock, consent versions."""
