"""What a study says about safety."""

from escalon.protocol.conduct.model import Model


class SafetyRules(Model):
    """Safety reporting."""
