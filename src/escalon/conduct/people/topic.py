"""The topic people: sites, persons, roles with their dates, electronic signatures."""

from escalon.conduct.topic import Topic

TOPIC = Topic("people")
