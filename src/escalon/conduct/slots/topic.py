"""The topic slots: seats, the queue, clearances, the dose lock and the stagger."""

from escalon.conduct.slots.apply import APPLY
from escalon.conduct.topic import Topic

TOPIC = Topic("slots", apply=APPLY)
