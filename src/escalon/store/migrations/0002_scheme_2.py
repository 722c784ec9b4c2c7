"""Scheme 2: more columns of an event, values behind commitments, checkpoints, snapshots.

Columns are added in place, so no row of scheme 1 is written again and the triggers of 0001 stay. Plain SQL, because
Django would rebuild the table in SQLite and drop its triggers.
"""

from django.db import migrations, models

TABLES = (
    "ALTER TABLE ledger_event ADD COLUMN scheme integer NOT NULL DEFAULT 1",
    *(
        f"ALTER TABLE ledger_event ADD COLUMN {name} text NOT NULL DEFAULT ''"
        for name in ("tz", "org", "object_ref", "commit_old", "commit_new", "commit_reason", "context")
    ),
    "CREATE INDEX ledger_event_object ON ledger_event (study_id, object_ref)",
    """CREATE TABLE ledger_value (
           study_id varchar(20) NOT NULL, seq bigint NOT NULL, side varchar(6) NOT NULL,
           salt char(64), value text, redacted_by_seq bigint,
           PRIMARY KEY (study_id, seq, side),
           FOREIGN KEY (study_id, seq) REFERENCES ledger_event (study_id, seq),
           FOREIGN KEY (study_id, redacted_by_seq) REFERENCES ledger_event (study_id, seq),
           CONSTRAINT ledger_value_side CHECK (side IN ('new', 'reason')),
           CONSTRAINT ledger_value_whole CHECK (
               (value IS NULL) = (salt IS NULL) AND (value IS NULL) = (redacted_by_seq IS NOT NULL)))""",
    """CREATE TABLE ledger_checkpoint (
           study_id varchar(20) NOT NULL, upto_seq bigint NOT NULL, root char(64) NOT NULL, at varchar(40) NOT NULL,
           public_key char(64) NOT NULL, signature char(128) NOT NULL, published_to text NOT NULL,
           PRIMARY KEY (study_id, upto_seq, public_key),
           FOREIGN KEY (study_id, upto_seq) REFERENCES ledger_event (study_id, seq))""",
)
# A copy that saves time; it may be thrown away, so nothing guards it.
SNAPSHOT = """CREATE TABLE ledger_snapshot (
    study_id varchar(20) NOT NULL PRIMARY KEY, seq bigint NOT NULL, head char(64) NOT NULL,
    software text NOT NULL, digest char(64) NOT NULL, content {binary} NOT NULL)"""

MATCHING = """SELECT 1 FROM ledger_event e WHERE e.study_id = NEW.study_id AND e.seq = NEW.redacted_by_seq
    AND e.kind = 'ValueRedacted' AND e.object_ref = 'event:' || NEW.seq"""
SQLITE = (
    f"""CREATE TRIGGER ledger_value_only_redaction BEFORE UPDATE ON ledger_value
        WHEN NOT (OLD.value IS NOT NULL AND NEW.value IS NULL AND NEW.salt IS NULL
                  AND NEW.study_id = OLD.study_id AND NEW.seq = OLD.seq AND NEW.side = OLD.side
                  AND EXISTS ({MATCHING}))
        BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: a value can only be redacted by its event'); END""",
    """CREATE TRIGGER ledger_value_no_delete BEFORE DELETE ON ledger_value
       BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: no delete'); END""",
    """CREATE TRIGGER ledger_value_no_replace BEFORE INSERT ON ledger_value
       WHEN EXISTS (SELECT 1 FROM ledger_value WHERE study_id = NEW.study_id AND seq = NEW.seq AND side = NEW.side)
       BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: no replacement'); END""",
    """CREATE TRIGGER ledger_checkpoint_no_update BEFORE UPDATE ON ledger_checkpoint
       BEGIN SELECT RAISE(ABORT, 'checkpoints are append-only: no update'); END""",
    """CREATE TRIGGER ledger_checkpoint_no_delete BEFORE DELETE ON ledger_checkpoint
       BEGIN SELECT RAISE(ABORT, 'checkpoints are append-only: no delete'); END""",
    """CREATE TRIGGER ledger_checkpoint_no_replace BEFORE INSERT ON ledger_checkpoint
       WHEN EXISTS (SELECT 1 FROM ledger_checkpoint WHERE study_id = NEW.study_id
                    AND upto_seq = NEW.upto_seq AND public_key = NEW.public_key)
       BEGIN SELECT RAISE(ABORT, 'checkpoints are append-only: no replacement'); END""",
)
POSTGRESQL = (
    f"""CREATE FUNCTION ledger_value_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF OLD.value IS NOT NULL AND NEW.value IS NULL AND NEW.salt IS NULL
               AND NEW.study_id = OLD.study_id AND NEW.seq = OLD.seq AND NEW.side = OLD.side
               AND EXISTS ({MATCHING}) THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'the ledger is append-only: a value can only be redacted by its event';
        END $$""",
    """CREATE TRIGGER ledger_value_only_redaction BEFORE UPDATE ON ledger_value
       FOR EACH ROW EXECUTE FUNCTION ledger_value_refuse()""",
    *(
        statement
        for table in ("ledger_value", "ledger_checkpoint")
        for statement in (
            f"""CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table}
                FOR EACH ROW EXECUTE FUNCTION ledger_event_refuse()""",
            f"""CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
                FOR EACH STATEMENT EXECUTE FUNCTION ledger_event_refuse()""",
        )
    ),
    """CREATE TRIGGER ledger_checkpoint_no_update BEFORE UPDATE ON ledger_checkpoint
       FOR EACH ROW EXECUTE FUNCTION ledger_event_refuse()""",
    *(
        f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_{name}"
        for table, names in (
            ("ledger_value", ("only_redaction", "no_delete", "no_truncate")),
            ("ledger_checkpoint", ("no_update", "no_delete", "no_truncate")),
        )
        for name in names
    ),
)


def write_schema(apps, schema_editor):
    """Add columns, tables and triggers in the words of the database in use."""
    postgresql = schema_editor.connection.vendor == "postgresql"
    snapshot = SNAPSHOT.format(binary="bytea" if postgresql else "blob")
    with schema_editor.connection.cursor() as cursor:
        for statement in (*TABLES, snapshot, *(POSTGRESQL if postgresql else SQLITE)):
            cursor.execute(statement)


TEXT_COLUMNS = ("tz", "org", "object_ref", "commit_old", "commit_new", "commit_reason", "context")


class Migration(migrations.Migration):
    """Second release of the ledger."""

    dependencies = (("store", "0001_ledger"),)
    operations = (
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(write_schema, migrations.RunPython.noop)],
            state_operations=[
                migrations.AddField("LedgerEvent", "scheme", models.IntegerField(default=1)),
                *(
                    migrations.AddField("LedgerEvent", name, models.TextField(default=""))
                    for name in TEXT_COLUMNS
                ),
            ],
        ),
    )
