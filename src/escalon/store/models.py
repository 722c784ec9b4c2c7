"""The ledger table as Django's migrations know it. Reading and writing is plain SQL in ``rows``."""

from django.db import models


class LedgerEvent(models.Model):
    """One fact of one study; the fields are those of ``chain.Entry``."""

    pk = models.CompositePrimaryKey("study_id", "seq")
    study_id = models.CharField(max_length=20)
    seq = models.PositiveBigIntegerField()
    at = models.CharField(max_length=40)
    actor_id = models.CharField(max_length=64)
    actor_name = models.CharField(max_length=128)
    role = models.CharField(max_length=32)
    site = models.CharField(max_length=16)
    kind = models.CharField(max_length=40)
    payload = models.TextField()
    prev_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)
    scheme = models.IntegerField(default=1)
    tz = models.TextField(default="")
    org = models.TextField(default="")
    object_ref = models.TextField(default="")
    commit_old = models.TextField(default="")
    commit_new = models.TextField(default="")
    commit_reason = models.TextField(default="")
    context = models.TextField(default="")

    class Meta:
        """The chain cannot fork: no two events of a study follow the same one."""

        db_table = "ledger_event"
        constraints = (
            models.UniqueConstraint(fields=("study_id", "prev_hash"), name="ledger_event_no_fork"),
        )
