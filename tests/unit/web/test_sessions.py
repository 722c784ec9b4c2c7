"""A session ends when idle and after its absolute lifetime; polling does not keep it alive; each end is told."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from escalon.protocol.conduct.people import Session
from escalon.store.connection import configure, connect_accounts

MINUTE, HOUR = 60, 3600


@pytest.fixture
def ended() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def client(tmp_path: Path, ended: list[tuple[str, str]]) -> Iterator[Any]:
    """Django's test client on a site of two pages: one that logs in, one that says who is there."""
    configure()
    connect_accounts(str(tmp_path / "accounts.db"))
    from django.contrib.auth import login
    from django.http import HttpResponse
    from django.test import Client, override_settings
    from django.urls import path

    from escalon.store.accounts.models import Account

    account = Account.objects.create(person="p1", address="p1@site.example", created_at=datetime.now(UTC))

    def enter(request: Any) -> HttpResponse:
        login(request, account, "django.contrib.auth.backends.ModelBackend")
        return HttpResponse("in")

    site = ModuleType("site_of_two_pages")
    site.urlpatterns = [  # type: ignore[attr-defined]
        path("login", enter),
        path("who", lambda request: HttpResponse(request.user.get_username() or "nobody")),
    ]
    with override_settings(
        ROOT_URLCONF=site,
        SESSION_COOKIE_SECURE=False,
        ALLOWED_HOSTS=["testserver"],
        ESCALON_SESSION=Session(idle_minutes=15, absolute_hours=8),
        ESCALON_SESSION_ENDED=lambda person, limit: ended.append((person, limit)),
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "escalon.web.sessions.SessionLimits",
        ],
    ):
        client = Client()
        assert client.get("/login").content == b"in"
        yield client


def wait(client: Any, seconds: float) -> None:
    """Let the session grow older: its times move into the past."""
    from escalon.web.sessions import ACTED, OPENED

    session = client.session
    for name in (OPENED, ACTED):
        session[name] -= seconds
    session.save()


def who(client: Any, poll: bool = False) -> str:
    response = client.get("/who", headers={"X-Escalon-Poll": "1"} if poll else {})
    return response.content.decode() if response.status_code == 200 else response.json()["limit"]


def test_acting_keeps_a_session_alive(client: Any, ended: list[tuple[str, str]]) -> None:
    for _ in range(4):
        wait(client, 15 * MINUTE - 5)
        assert who(client) == "p1"
    assert ended == []


def test_an_idle_session_ends_and_stays_ended(client: Any, ended: list[tuple[str, str]]) -> None:
    wait(client, 15 * MINUTE)
    assert who(client) == "idle"
    assert ended == [("p1", "idle")]
    assert who(client) == "nobody"
    assert ended == [("p1", "idle")]


def test_polling_is_answered_and_does_not_keep_a_session_alive(
    client: Any, ended: list[tuple[str, str]]
) -> None:
    wait(client, 10 * MINUTE)
    assert who(client, poll=True) == "p1"
    wait(client, 5 * MINUTE)
    assert who(client, poll=True) == "idle"
    assert ended == [("p1", "idle")]


def test_a_busy_session_ends_at_its_absolute_lifetime(client: Any, ended: list[tuple[str, str]]) -> None:
    for _ in range(47):
        wait(client, 10 * MINUTE)
        assert who(client) == "p1"
    wait(client, 10 * MINUTE)
    assert who(client) == "absolute"
    assert ended == [("p1", "absolute")]


def test_an_old_cookie_is_no_session(client: Any) -> None:
    cookie = client.cookies["sessionid"].value
    wait(client, HOUR)
    assert who(client) == "idle"
    client.cookies["sessionid"] = cookie
    assert who(client) == "nobody"


def test_a_session_without_its_times_is_over(client: Any) -> None:
    session = client.session
    for name in ("escalon_opened_at", "escalon_acted_at"):
        del session[name]
    session.save()
    assert who(client) == "absolute"


def test_who_is_not_logged_in_has_no_limits(client: Any, ended: list[tuple[str, str]]) -> None:
    from django.test import Client

    assert who(Client()) == "nobody"
    assert ended == []
