"""What a study says about slots."""

from escalon.protocol.conduct.model import Model


class SlotRules(Model):
    """Seats and the queue."""
