"""The simulated people of the trial, by role."""

from collections.abc import Iterable

from escalon.conduct.act import Actor

SPONSOR = Actor("sponsor", "Virtual sponsor", "sponsor")
PHYSICIAN = Actor("physician", "Virtual sponsor physician", "sponsor")
ADMINISTRATOR = Actor("administrator", "Virtual administrator", "administrator")
MONITOR = Actor("monitor", "Virtual medical monitor", "medical_monitor")
STATISTICIAN = Actor("statistician", "Virtual statistician", "statistician")
DATA_MANAGER = Actor("data-manager", "Virtual data manager", "data_manager")
SAFETY_OFFICER = Actor("safety-officer", "Virtual safety officer", "safety_officer")
CHAIR = Actor("chair", "Virtual committee chair", "committee_member")
MEMBERS = (
    CHAIR,
    Actor("member-2", "Virtual committee member 2", "committee_member"),
    Actor("member-3", "Virtual committee member 3", "committee_member"),
)


def coordinator(site: str) -> Actor:
    """Return the coordinator of ``site``."""
    return Actor(f"coordinator-{site}", f"Virtual coordinator, site {site}", "coordinator", site)


def investigator(site: str) -> Actor:
    """Return the investigator of ``site``."""
    return Actor(f"investigator-{site}", f"Virtual investigator, site {site}", "investigator", site)


def site_monitor(site: str) -> Actor:
    """Return the monitor who verifies source data at ``site``."""
    return Actor(f"monitor-{site}", f"Virtual monitor, site {site}", "monitor", site)


def everybody(sites: Iterable[str]) -> tuple[Actor, ...]:
    """Return all people of a trial at ``sites`` except the sponsor who opens it and the administrator."""
    central = (PHYSICIAN, MONITOR, STATISTICIAN, DATA_MANAGER, SAFETY_OFFICER, *MEMBERS)
    local = (who(site) for site in sites for who in (coordinator, investigator, site_monitor))
    return (*central, *local)
