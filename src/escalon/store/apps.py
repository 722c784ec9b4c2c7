"""Django application of the ledger."""

from django.apps import AppConfig


class StoreConfig(AppConfig):
    """The ledger application."""

    name = "escalon.store"
    label = "store"
