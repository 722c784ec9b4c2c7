"""Limits of a session (AC-9): it ends when nobody acts in it, and after a day's work whatever happens.

A page that asks by itself for news says so (header ``X-Escalon-Poll: 1``): such a request is answered while the session
lives and does not keep it alive. A client that leaves the header out ends its own session later, never earlier than
the absolute limit allows.
"""

import time
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, JsonResponse

from escalon.protocol.conduct.people import Session

POLL = "X-Escalon-Poll"
OPENED, ACTED = "escalon_opened_at", "escalon_acted_at"


class SessionLimits:
    """Middleware; stands after Django's session and authentication middleware.

    Settings:
        ESCALON_SESSION: the study's ``protocol.conduct.people.Session``; the platform's defaults without it.
        ESCALON_SESSION_ENDED: called with person id and ``idle`` or ``absolute``; it writes the fact (AT-8).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request, or end the session and answer 401 with the limit that was reached."""
        if not request.user.is_authenticated:
            return self._started(request, self._get_response(request))
        now = time.time()
        limit = _reached(request, now)
        if limit is None:
            if request.headers.get(POLL) != "1":
                request.session[ACTED] = now
            return self._get_response(request)
        person = request.user.get_username()
        logout(request)  # flushes the session: neither cookie nor content is good any more
        ended = getattr(settings, "ESCALON_SESSION_ENDED", None)
        if ended is not None:
            ended(person, limit)
        return JsonResponse({"session": "ended", "limit": limit}, status=401)

    def _started(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Note when a session began: the request that logged the person in."""
        if request.user.is_authenticated:
            request.session[OPENED] = request.session[ACTED] = time.time()
        return response


def _reached(request: HttpRequest, now: float) -> str | None:
    """Return which limit the session has reached; a session without its times has none left."""
    limits: Session = getattr(settings, "ESCALON_SESSION", None) or Session()
    opened, acted = request.session.get(OPENED, 0.0), request.session.get(ACTED, 0.0)
    if now - opened >= limits.absolute_hours * 3600:
        return "absolute"
    return "idle" if now - acted >= limits.idle_minutes * 60 else None
