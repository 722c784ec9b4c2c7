"""Who may read what, where (AC-2): one table, asked before every page, list and export."""

from datetime import datetime

from escalon.conduct.people.rights import rights_on
from escalon.conduct.state import State
from escalon.protocol.conduct.people import ROLES, Role

OWN, ALL = "own", "all"


def _scopes(own: tuple[Role, ...] = (), everywhere: tuple[Role, ...] = ()) -> dict[str, str]:
    return {**dict.fromkeys(own, OWN), **dict.fromkeys(everywhere, ALL)}


_SITE: tuple[Role, ...] = ("coordinator", "investigator")
_DATA: tuple[Role, ...] = ("medical_monitor", "data_manager", "safety_officer")
_CENTRAL: tuple[Role, ...] = (*_DATA, "statistician", "committee_member", "sponsor")
_EVERYBODY: tuple[Role, ...] = tuple(role for role in ROLES if role != "administrator")

READS: dict[str, dict[str, str]] = {
    "casebook": _scopes((*_SITE, "monitor", "inspector"), _DATA),
    "signatures": _scopes((*_SITE, "monitor", "inspector"), _CENTRAL),
    "audit trail": _scopes((*_SITE, "monitor", "inspector"), ("data_manager", "medical_monitor")),
    "queries": _scopes((*_SITE, "monitor", "inspector"), _DATA),
    "safety cases": _scopes((*_SITE, "monitor", "inspector"), ("medical_monitor", "safety_officer")),
    "slots and cohorts": _scopes((), _EVERYBODY),
    "decisions": _scopes((), tuple(role for role in _EVERYBODY if role not in (*_SITE, "monitor"))),
    "committee packet": _scopes(
        (), ("committee_member", "medical_monitor", "statistician", "sponsor", "inspector")
    ),
    "pharmacokinetics": _scopes((*_SITE, "inspector"), (*_DATA, "statistician", "pharmacologist")),
    "aggregate results": _scopes(
        (), ("statistician", "committee_member", "medical_monitor", "sponsor", "pharmacologist", "inspector")
    ),
    "export": _scopes((*_SITE, "inspector"), ("data_manager", "statistician")),
    "user history": _scopes(("inspector",), ("administrator", "sponsor")),
    "security events": _scopes(("inspector",), ("administrator",)),
}
"""What to role to scope: ``own`` site or ``all``; a role that is not named may not read it.

An ``own`` reader whose role is held for the whole study (a monitor, an inspector) reads every site.
"""


def may_read(state: State, person: str, what: str, site: str, at: datetime) -> bool:
    """Tell whether ``person`` may read ``what`` of ``site`` at ``at``; anything unknown is refused.

    Args:
        state: the fold; ``at`` does not lie after its last fact.
        person: id of the person.
        what: a key of ``READS``.
        site: the site the data belong to; '' for what belongs to no site or to all of them together.
        at: the moment (UTC).
    """
    scopes = READS.get(what, {})
    return any(
        scopes.get(right.role) == ALL or (right.role in scopes and right.site in ("", site))
        for right in rights_on(state, person, at)
    )
