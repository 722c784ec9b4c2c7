"""An account per person, and the links with which persons set their passwords. Nothing is ever deleted."""

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models


class Account(AbstractBaseUser):
    """Account of a registered person; the id is the person's. No account has rights of its own."""

    person = models.CharField(max_length=64, primary_key=True)
    address = models.EmailField()
    created_at = models.DateTimeField()
    password_set_at = models.DateTimeField(null=True)
    is_active = models.BooleanField(default=True)

    objects = BaseUserManager()
    USERNAME_FIELD = "person"
    EMAIL_FIELD = "address"
    REQUIRED_FIELDS: ClassVar = ["address"]


class Link(models.Model):
    """A link to set a password once; only the hash of its token is kept, so that nobody can read it here."""

    token_hash = models.CharField(max_length=64, primary_key=True)
    account = models.ForeignKey(Account, on_delete=models.PROTECT)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
