"""What happens to accounts and access, as the ledger knows it (AT-8), and how an act was authenticated (SG-5)."""

KINDS: dict[str, str] = {
    "account_created": "account created",
    "invitation_sent": "link to set a password made",
    "password_set": "password set by the person",
    "password_reset": "password taken back, a new one must be set",
    "second_factor_added": "second factor added",
    "second_factor_reset": "second factor revoked",
    "second_factor_lost": "second factor reported lost, identity checked anew",
    "login": "login",
    "login_failed": "failed login",
    "logout": "logout",
    "session_timeout": "session ended by its limits",
    "lockout": "account locked after failed logins",
    "unlocked": "lock-out ended by an administrator",
    "account_closed": "account closed",
    "viewed": "unblinded or personal data viewed",
    "exported": "data exported",
    "letter_sent": "letter of non-repudiation sent",
}
"""Kind to what it means. A change of roles is an event of its own (RoleGranted, RoleRevoked)."""

BREAKS = (
    "login",
    "logout",
    "session_timeout",
    "lockout",
    "password_set",
    "password_reset",
    "second_factor_reset",
    "second_factor_lost",
    "account_closed",
)
"""Kinds that end a continuous period of access: the next signature needs two components again."""

COMPONENTS: dict[str, int] = {
    "none": 0,
    "session": 0,
    "password": 1,
    "otp": 1,
    "id+password": 2,
    "password+otp": 2,
}
"""How an act was authenticated, and how many components the person gave at the act itself.

A session alone is none: it was opened earlier. ``password+otp`` is given in a session of that id.
"""

SYSTEM = "system"
"""Id and role of this software when it records security events; no person, and no other right."""
