"""The ledger table and the triggers that refuse every change to it."""

from django.db import migrations, models

SQLITE = (
    """CREATE TRIGGER ledger_event_no_update BEFORE UPDATE ON ledger_event
       BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: no update'); END""",
    """CREATE TRIGGER ledger_event_no_delete BEFORE DELETE ON ledger_event
       BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: no delete'); END""",
    # INSERT OR REPLACE would pass by the delete trigger.
    """CREATE TRIGGER ledger_event_no_replace BEFORE INSERT ON ledger_event
       WHEN EXISTS (SELECT 1 FROM ledger_event WHERE study_id = NEW.study_id
                    AND (seq = NEW.seq OR prev_hash = NEW.prev_hash))
       BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: no replacement'); END""",
)
POSTGRESQL = (
    """CREATE FUNCTION ledger_event_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN RAISE EXCEPTION 'the ledger is append-only: no %', lower(TG_OP); END $$""",
    """CREATE TRIGGER ledger_event_no_change BEFORE UPDATE OR DELETE ON ledger_event
       FOR EACH ROW EXECUTE FUNCTION ledger_event_refuse()""",
    """CREATE TRIGGER ledger_event_no_truncate BEFORE TRUNCATE ON ledger_event
       FOR EACH STATEMENT EXECUTE FUNCTION ledger_event_refuse()""",
    # Without ALWAYS a session in the replica role would pass by the triggers.
    "ALTER TABLE ledger_event ENABLE ALWAYS TRIGGER ledger_event_no_change",
    "ALTER TABLE ledger_event ENABLE ALWAYS TRIGGER ledger_event_no_truncate",
)


def add_triggers(apps, schema_editor):
    """Create the refusing triggers of the database in use."""
    statements = POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE
    with schema_editor.connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


class Migration(migrations.Migration):
    """First release of the ledger."""

    initial = True
    dependencies = ()
    operations = (
        migrations.CreateModel(
            name="LedgerEvent",
            fields=[
                ("pk", models.CompositePrimaryKey("study_id", "seq")),
                ("study_id", models.CharField(max_length=20)),
                ("seq", models.PositiveBigIntegerField()),
                ("at", models.CharField(max_length=40)),
                ("actor_id", models.CharField(max_length=64)),
                ("actor_name", models.CharField(max_length=128)),
                ("role", models.CharField(max_length=32)),
                ("site", models.CharField(max_length=16)),
                ("kind", models.CharField(max_length=40)),
                ("payload", models.TextField()),
                ("prev_hash", models.CharField(max_length=64)),
                ("hash", models.CharField(max_length=64)),
            ],
            options={"db_table": "ledger_event"},
        ),
        migrations.AddConstraint(
            model_name="LedgerEvent",
            constraint=models.UniqueConstraint(fields=("study_id", "prev_hash"), name="ledger_event_no_fork"),
        ),
        migrations.RunPython(add_triggers, migrations.RunPython.noop),
    )
