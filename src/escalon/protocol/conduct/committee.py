"""What a study says about committee."""

from escalon.protocol.conduct.model import Model


class CommitteeRules(Model):
    """The safety committee."""
