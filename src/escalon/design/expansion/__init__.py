"""Expansion at the recommended dose: response and safety after the escalation."""
