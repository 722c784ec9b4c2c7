"""The simulated people of the trial, by role."""

from escalon.conduct.commands import Actor

SPONSOR = Actor("sponsor", "Virtual sponsor", "sponsor")
MONITOR = Actor("monitor", "Virtual medical monitor", "medical_monitor")
STATISTICIAN = Actor("statistician", "Virtual statistician", "statistician")
CHAIR = Actor("chair", "Virtual committee chair", "committee_member")
SIGNERS = ("Virtual committee chair", "Virtual sponsor physician")


def coordinator(site: str) -> Actor:
    """Return the coordinator of ``site``."""
    return Actor(f"coordinator-{site}", f"Virtual coordinator, site {site}", "coordinator", site)


def investigator(site: str) -> Actor:
    """Return the investigator of ``site``."""
    return Actor(f"investigator-{site}", f"Virtual investigator, site {site}", "investigator", site)
