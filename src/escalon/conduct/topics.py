"""All topics of conduct, in the order in which they guard and react."""

from escalon.conduct.capture.topic import TOPIC as CAPTURE
from escalon.conduct.committee.topic import TOPIC as COMMITTEE
from escalon.conduct.core import TOPIC as CORE
from escalon.conduct.custody.topic import TOPIC as CUSTODY
from escalon.conduct.oversight.topic import TOPIC as OVERSIGHT
from escalon.conduct.people.topic import TOPIC as PEOPLE
from escalon.conduct.redaction.topic import TOPIC as REDACTION
from escalon.conduct.safety.topic import TOPIC as SAFETY
from escalon.conduct.slots.topic import TOPIC as SLOTS

TOPICS = (CORE, PEOPLE, CAPTURE, SLOTS, SAFETY, COMMITTEE, REDACTION, CUSTODY, OVERSIGHT)
