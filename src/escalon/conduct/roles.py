"""Who may do what: one table from command to roles, joined from all topics. What is not in it is refused."""

from escalon.conduct.act import Command
from escalon.conduct.topics import TOPICS

ALLOWED: dict[type[Command], tuple[str, ...]] = {
    command: roles for topic in TOPICS for command, roles in topic.allowed.items()
}


def may(role: str, command: Command) -> bool:
    """Tell whether ``role`` may send ``command``."""
    return role in ALLOWED.get(type(command), ())
