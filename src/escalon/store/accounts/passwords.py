"""What a password must be (AC-6): long enough, not common, not the person's own id or address."""

from django.contrib.auth.password_validation import (
    CommonPasswordValidator,
    MinimumLengthValidator,
    UserAttributeSimilarityValidator,
    validate_password,
)
from django.core.exceptions import ValidationError

from escalon.protocol.conduct.people import Password
from escalon.store.accounts.models import Account


class WeakPassword(ValueError):
    """A password that is not accepted; the message says all reasons."""


def check_password_rules(password: str, account: Account, rules: Password, second_factor: bool) -> None:
    """Raise WeakPassword unless ``password`` follows the study's rules.

    Args:
        password: what the person chose.
        account: whose it will be.
        rules: of the study.
        second_factor: whether the account has a confirmed second factor; without one it must be longer.
    """
    length = rules.min_length if second_factor else rules.min_length_alone
    validators = [
        MinimumLengthValidator(length),
        CommonPasswordValidator(),
        UserAttributeSimilarityValidator(("person", "address")),
    ]
    try:
        validate_password(password, account, validators)
    except ValidationError as error:
        raise WeakPassword(" ".join(error.messages)) from None
