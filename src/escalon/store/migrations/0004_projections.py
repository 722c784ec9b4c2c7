"""Derived tables that guard seats and doses with keys and checks of the database, and who touched them (PostgreSQL)."""

from django.db import migrations

TABLES = (
    """CREATE TABLE clearance (
           study_id varchar(20) NOT NULL, clearance bigint NOT NULL, regimen text NOT NULL, process text NOT NULL,
           dose_level integer NOT NULL, decision bigint NOT NULL, revoked integer NOT NULL DEFAULT 0,
           seq bigint NOT NULL,
           PRIMARY KEY (study_id, clearance),
           CONSTRAINT clearance_stratum UNIQUE (study_id, clearance, regimen, process, dose_level),
           CONSTRAINT clearance_level CHECK (dose_level >= 1))""",
    """CREATE TABLE seat (
           study_id varchar(20) NOT NULL, cohort bigint NOT NULL, seat bigint NOT NULL, seq bigint NOT NULL,
           PRIMARY KEY (study_id, cohort, seat), CONSTRAINT seat_number CHECK (seat >= 1))""",
    """CREATE TABLE slot (
           study_id varchar(20) NOT NULL, slot bigint NOT NULL, site text NOT NULL, status varchar(12) NOT NULL,
           cohort bigint, seat bigint, patient text, seq bigint NOT NULL,
           PRIMARY KEY (study_id, slot),
           FOREIGN KEY (study_id, cohort, seat) REFERENCES seat (study_id, cohort, seat),
           CONSTRAINT slot_status CHECK (
               status IN ('requested', 'waitlisted', 'reserved', 'confirmed', 'dosed', 'released')),
           CONSTRAINT slot_has_seat CHECK (status NOT IN ('reserved', 'confirmed', 'dosed') OR seat IS NOT NULL),
           CONSTRAINT slot_has_patient CHECK (status NOT IN ('confirmed', 'dosed') OR patient IS NOT NULL))""",
    # INV-1: a seat never holds two slots that are not released.
    """CREATE UNIQUE INDEX slot_one_per_seat ON slot (study_id, cohort, seat)
       WHERE status IN ('reserved', 'confirmed', 'dosed')""",
    # INV-2: a patient has one slot that is neither dosed nor released.
    """CREATE UNIQUE INDEX slot_one_per_patient ON slot (study_id, patient)
       WHERE patient IS NOT NULL AND status IN ('reserved', 'confirmed')""",
    # INV-3, INV-4: the level lies within a clearance of the very stratum.
    """CREATE TABLE dose_assignment (
           study_id varchar(20) NOT NULL, patient varchar(64) NOT NULL, dose_level integer NOT NULL,
           regimen text NOT NULL, process text NOT NULL, clearance bigint NOT NULL, cleared_level integer NOT NULL,
           seq bigint NOT NULL,
           PRIMARY KEY (study_id, patient),
           CONSTRAINT dose_lock_stratum FOREIGN KEY (study_id, clearance, regimen, process, cleared_level)
               REFERENCES clearance (study_id, clearance, regimen, process, dose_level),
           CONSTRAINT dose_lock_level CHECK (dose_level BETWEEN 1 AND cleared_level))""",
)
STANDS = """SELECT 1 FROM clearance c WHERE c.study_id = NEW.study_id AND c.clearance = NEW.clearance
    AND c.regimen = NEW.regimen AND c.process = NEW.process AND c.dose_level = NEW.cleared_level
    AND c.revoked = 0"""
LOCKED = "the dose lock: no clearance that stands covers this level, regimen and process"
# A connection to SQLite that did not ask for foreign keys would pass by them; it does not pass by a trigger.
SQLITE = tuple(
    f"""CREATE TRIGGER dose_assignment_lock_{verb.lower()} BEFORE {verb} ON dose_assignment
        WHEN NOT EXISTS ({STANDS}) BEGIN SELECT RAISE(ABORT, '{LOCKED}'); END"""
    for verb in ("INSERT", "UPDATE")
)
GUARDED = ("clearance", "seat", "slot", "dose_assignment")
POSTGRESQL = (
    f"""CREATE FUNCTION dose_assignment_lock() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT EXISTS ({STANDS}) THEN RAISE EXCEPTION '{LOCKED}'; END IF;
            RETURN NEW;
        END $$""",
    """CREATE TRIGGER dose_assignment_lock BEFORE INSERT OR UPDATE ON dose_assignment
       FOR EACH ROW EXECUTE FUNCTION dose_assignment_lock()""",
    "ALTER TABLE dose_assignment ENABLE ALWAYS TRIGGER dose_assignment_lock",
    # AT-12: a row touched in a transaction that wrote no event came by another way.
    "ALTER TABLE ledger_event ADD COLUMN txid bigint",
    "ALTER TABLE ledger_event ALTER COLUMN txid SET DEFAULT txid_current()",
    """CREATE TABLE ledger_touched (
           table_name text NOT NULL, operation text NOT NULL, row_before text, row_after text,
           txid bigint NOT NULL, by_role text NOT NULL, at timestamptz NOT NULL)""",
    """CREATE FUNCTION ledger_note_touch() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
       BEGIN
           IF TG_OP = 'UPDATE' AND NOT (OLD IS DISTINCT FROM NEW) THEN RETURN NULL; END IF;
           INSERT INTO ledger_touched VALUES (
               TG_TABLE_NAME, lower(TG_OP), CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD)::text END,
               CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW)::text END,
               txid_current(), session_user, clock_timestamp());
           RETURN NULL;
       END $$""",
    *(
        statement
        for table in GUARDED
        for statement in (
            f"""CREATE TRIGGER {table}_touched AFTER INSERT OR UPDATE OR DELETE ON {table}
                FOR EACH ROW EXECUTE FUNCTION ledger_note_touch()""",
            f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_touched",
        )
    ),
)


def write_schema(apps, schema_editor):
    """Add tables and triggers in the words of the database in use."""
    postgresql = schema_editor.connection.vendor == "postgresql"
    with schema_editor.connection.cursor() as cursor:
        for statement in (*TABLES, *(POSTGRESQL if postgresql else SQLITE)):
            cursor.execute(statement)


class Migration(migrations.Migration):
    """Derived tables."""

    dependencies = (("store", "0003_study_version"),)
    operations = (migrations.RunPython(write_schema, migrations.RunPython.noop),)
