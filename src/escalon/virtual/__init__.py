"""Simulated patients and sites; they speak to the trial in conduct's commands only."""
