"""Figures of the report: each is a function from frames to an Altair chart and computes nothing."""
