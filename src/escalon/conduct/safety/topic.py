"""The topic safety: cases, reporting clocks, causality and expectedness."""

from escalon.conduct.topic import Topic

TOPIC = Topic("safety")
