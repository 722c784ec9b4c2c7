"""Accounts and the links with which persons set their passwords."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """First release of the accounts."""

    initial = True
    dependencies = ()
    operations = (
        migrations.CreateModel(
            name="Account",
            fields=[
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                ("person", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("address", models.EmailField(max_length=254)),
                ("created_at", models.DateTimeField()),
                ("password_set_at", models.DateTimeField(null=True)),
                ("is_active", models.BooleanField(default=True)),
            ],
            options={"abstract": False},
        ),
        migrations.CreateModel(
            name="Link",
            fields=[
                ("token_hash", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("made_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(null=True)),
                ("revoked_at", models.DateTimeField(null=True)),
                (
                    "account",
                    models.ForeignKey(on_delete=models.deletion.PROTECT, to=settings.AUTH_USER_MODEL),
                ),
            ],
        ),
    )
