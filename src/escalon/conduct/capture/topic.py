"""The topic capture: queries, source verification, freeze, lock, consent versions."""

from escalon.conduct.topic import Topic

TOPIC = Topic("capture")
