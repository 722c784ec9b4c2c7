"""What a study says about capture."""

from escalon.protocol.conduct.model import Model


class CaptureRules(Model):
    """Data capture: queries, verification, edit checks, locks."""
