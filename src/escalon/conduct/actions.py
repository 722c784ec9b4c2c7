"""What going from one dose level to another is called."""


def action_name(current: int, level: int) -> str:
    """Return escalate, stay or de_escalate for going from ``current`` to ``level`` (1-based).

    >>> action_name(2, 1)
    'de_escalate'
    """
    if level == current:
        return "stay"
    return "escalate" if level > current else "de_escalate"
