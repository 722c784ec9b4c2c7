"""What Django needs to know for accounts: applications, password hashing, lock-out, second factor."""

import os
import secrets
from datetime import timedelta
from typing import Any

from escalon.protocol.conduct.people import AccessRules

APPS = (
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "axes",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "escalon.store.accounts",
)
LABELS = ("contenttypes", "auth", "sessions", "axes", "otp_totp", "accounts")
"""Labels of the applications that have tables."""

SETTINGS: dict[str, Any] = {
    "AUTH_USER_MODEL": "accounts.Account",
    "AUTHENTICATION_BACKENDS": [
        "axes.backends.AxesStandaloneBackend",
        "django.contrib.auth.backends.ModelBackend",
    ],
    "PASSWORD_HASHERS": ["django.contrib.auth.hashers.Argon2PasswordHasher"],
    # Sessions and links of a running server end with the process unless the operator gives a key.
    "SECRET_KEY": os.environ.get("ESCALON_SECRET_KEY") or secrets.token_urlsafe(48),
    "SESSION_COOKIE_HTTPONLY": True,
    "SESSION_COOKIE_SECURE": True,
    "SESSION_COOKIE_SAMESITE": "Strict",
    "AXES_LOCKOUT_PARAMETERS": ["username"],  # many people of a hospital share one address
    "AXES_USERNAME_FORM_FIELD": "username",
    "AXES_VERBOSE": False,
    "OTP_TOTP_ISSUER": "Escalon",
}


def obey(access: AccessRules) -> None:
    """Set lock-out as the study says."""
    from django.conf import settings

    settings.AXES_FAILURE_LIMIT = access.lockout.failures
    settings.AXES_COOLOFF_TIME = timedelta(minutes=access.lockout.minutes)
