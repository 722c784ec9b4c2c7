"""All rules of conduct of a study."""

from pydantic import Field

from escalon.protocol.conduct.capture import CaptureRules
from escalon.protocol.conduct.committee import CommitteeRules
from escalon.protocol.conduct.model import Model
from escalon.protocol.conduct.oversight import OversightRules
from escalon.protocol.conduct.people import AccessRules
from escalon.protocol.conduct.safety import SafetyRules
from escalon.protocol.conduct.slots import SlotRules


class ConductRules(Model):
    """The sections of ``conduct.yaml``; a section that is not there has the platform's defaults."""

    access: AccessRules = Field(default_factory=AccessRules)
    capture: CaptureRules = Field(default_factory=CaptureRules)
    slots: SlotRules = Field(default_factory=SlotRules)
    committee: CommitteeRules = Field(default_factory=CommitteeRules)
    safety: SafetyRules = Field(default_factory=SafetyRules)
    oversight: OversightRules = Field(default_factory=OversightRules)
