"""First infusions beside the moment they were permitted from (INV-6) and the review of the sentinel (INV-7)."""

import json

from django.db import migrations

# Moments are text of one width in UTC, so that their order as text is their order in time.
MOMENT = "____-__-__T__:__:__.______+00:00"
TABLES = (
    """CREATE TABLE sentinel_clearance (
           study_id varchar(20) NOT NULL, cohort bigint NOT NULL, patient varchar(64) NOT NULL, seq bigint NOT NULL,
           PRIMARY KEY (study_id, cohort))""",
    f"""CREATE TABLE infusion (
           study_id varchar(20) NOT NULL, patient varchar(64) NOT NULL, cohort bigint NOT NULL,
           infused_at text NOT NULL, earliest_at text NOT NULL, first_signer text, second_signer text,
           sentinel integer NOT NULL, cleared bigint, seq bigint NOT NULL,
           PRIMARY KEY (study_id, patient),
           CONSTRAINT infusion_cleared FOREIGN KEY (study_id, cleared)
               REFERENCES sentinel_clearance (study_id, cohort),
           CONSTRAINT infusion_cleared_cohort CHECK (cleared IS NULL OR cleared = cohort),
           CONSTRAINT infusion_sentinel CHECK (sentinel IN (0, 1)),
           CONSTRAINT infusion_moments CHECK (infused_at LIKE '{MOMENT}' AND earliest_at LIKE '{MOMENT}'),
           CONSTRAINT infusion_two_signers CHECK (
               (first_signer IS NULL) = (second_signer IS NULL)
               AND (first_signer IS NULL OR first_signer <> second_signer)),
           CONSTRAINT infusion_not_early CHECK (infused_at >= earliest_at OR second_signer IS NOT NULL))""",
    # INV-7: until its sentinel is cleared a cohort has one infused patient; who was overridden in is not counted.
    """CREATE UNIQUE INDEX infusion_one_sentinel ON infusion (study_id, cohort)
       WHERE sentinel = 1 AND cleared IS NULL AND second_signer IS NULL""",
)
REVIEWED = """SELECT 1 FROM sentinel_clearance c WHERE c.study_id = NEW.study_id AND c.cohort = NEW.cleared"""
# A connection to SQLite that did not ask for foreign keys would pass by them; it does not pass by a trigger.
SQLITE = tuple(
    f"""CREATE TRIGGER infusion_cleared_{verb.lower()} BEFORE {verb} ON infusion
        WHEN NEW.cleared IS NOT NULL AND NOT EXISTS ({REVIEWED})
        BEGIN SELECT RAISE(ABORT, 'infusion_cleared: the sentinel of this cohort was not reviewed'); END"""
    for verb in ("INSERT", "UPDATE")
)
POSTGRESQL = tuple(
    statement
    for table in ("sentinel_clearance", "infusion")
    for statement in (
        f"""CREATE TRIGGER {table}_touched AFTER INSERT OR UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION ledger_note_touch()""",
        f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_touched",
    )
)
# Reviews that are in the ledger already: without them a cohort that is under way could not go on.
KNOWN = """SELECT e.study_id, e.seq, coalesce(v.value, e.payload) FROM ledger_event e LEFT JOIN ledger_value v
    ON v.study_id = e.study_id AND v.seq = e.seq AND v.side = 'new' WHERE e.kind = 'SentinelCleared'"""


def write_schema(apps, schema_editor):
    """Add tables and triggers in the words of the database in use, with the reviews recorded so far."""
    postgresql = schema_editor.connection.vendor == "postgresql"
    with schema_editor.connection.cursor() as cursor:
        for statement in TABLES:
            cursor.execute(statement)
        cursor.execute(KNOWN)
        for study_id, seq, text in cursor.fetchall():
            said = json.loads(text)
            cursor.execute(
                "INSERT INTO sentinel_clearance (study_id, cohort, patient, seq) VALUES (%s, %s, %s, %s)",
                [study_id, said["cohort"], said["patient"], seq],
            )
        for statement in POSTGRESQL if postgresql else SQLITE:
            cursor.execute(statement)


class Migration(migrations.Migration):
    """Infusions."""

    dependencies = (("store", "0005_seat_key"),)
    operations = (migrations.RunPython(write_schema, migrations.RunPython.noop),)
