"""How the trial is run, as the study says it in conduct.yaml: one model a topic of conduct."""

from escalon.protocol.conduct.rules import ConductRules

__all__ = ["ConductRules"]
