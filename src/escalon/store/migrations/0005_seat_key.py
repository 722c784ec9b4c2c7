"""A slot lies on a seat that exists: SQLite checks the key by trigger, whatever a connection asked for.

PostgreSQL holds the foreign key of 0004 always; SQLite only on connections that switch foreign keys on.
"""

from django.db import migrations

KNOWN = "SELECT 1 FROM seat s WHERE s.study_id = NEW.study_id AND s.cohort = NEW.cohort AND s.seat = NEW.seat"
TAKEN = "SELECT 1 FROM slot s WHERE s.study_id = OLD.study_id AND s.cohort = OLD.cohort AND s.seat = OLD.seat"
MOVED = "(NEW.study_id, NEW.cohort, NEW.seat) IS NOT (OLD.study_id, OLD.cohort, OLD.seat)"
SQLITE = (
    *(
        f"""CREATE TRIGGER slot_seat_known_{verb.lower()} BEFORE {verb} ON slot
            WHEN NEW.cohort IS NOT NULL AND NEW.seat IS NOT NULL AND NOT EXISTS ({KNOWN})
            BEGIN SELECT RAISE(ABORT, 'slot_seat_known: the cohort has no such seat'); END"""
        for verb in ("INSERT", "UPDATE")
    ),
    f"""CREATE TRIGGER seat_taken_delete BEFORE DELETE ON seat WHEN EXISTS ({TAKEN})
        BEGIN SELECT RAISE(ABORT, 'slot_seat_known: a slot lies on this seat'); END""",
    f"""CREATE TRIGGER seat_taken_update BEFORE UPDATE ON seat WHEN {MOVED} AND EXISTS ({TAKEN})
        BEGIN SELECT RAISE(ABORT, 'slot_seat_known: a slot lies on this seat'); END""",
)


def write_schema(apps, schema_editor):
    """Add the triggers to an SQLite ledger."""
    if schema_editor.connection.vendor == "sqlite":
        with schema_editor.connection.cursor() as cursor:
            for statement in SQLITE:
                cursor.execute(statement)


class Migration(migrations.Migration):
    """The key from slot to seat."""

    dependencies = (("store", "0004_projections"),)
    operations = (migrations.RunPython(write_schema, migrations.RunPython.noop),)
