"""Figures the project promises, measured."""
