"""The topic committee: data cuts, reviews, votes and decisions."""

from escalon.conduct.topic import Topic

TOPIC = Topic("committee")
