"""What a study says about people."""

from escalon.protocol.conduct.model import Model


class AccessRules(Model):
    """Sites of the study, and who may act when."""
