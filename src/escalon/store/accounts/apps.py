"""Django application of the accounts."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """The accounts application."""

    name = "escalon.store.accounts"
    label = "accounts"
