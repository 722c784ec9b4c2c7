"""Who may do what: one table from command to roles. What is not in the table is refused."""

from escalon.conduct import commands as c

SITE = ("coordinator", "investigator")
SPONSOR = ("sponsor",)

ALLOWED: dict[type, tuple[str, ...]] = {
    c.OpenStudy: SPONSOR,
    c.DecideDose: ("committee",),
    c.OpenExpansion: SPONSOR,
    c.EnrolPatient: SITE,
    c.AssignDose: ("investigator",),
    c.RecordForm: SITE,
    c.AdjudicateDlt: ("medical_monitor",),
    c.RequestRecommendation: ("statistician",),
    c.DecideRp2d: ("committee",),
    c.LiftHold: ("committee",),
    c.CloseStudy: SPONSOR,
}


def may(role: str, command: object) -> bool:
    """Tell whether ``role`` may send ``command``."""
    return role in ALLOWED.get(type(command), ())
