"""Further infusions of a patient: numbered, tied to the clearance of their level, not before their time (INV-3, INV-6).

Rows are as recorded, as those of first infusions are: a later correction is a fact of the ledger. Further infusions
recorded by an earlier release have no row: their ledger does not say from when they were permitted.
"""

from django.db import migrations

# Moments are text of one width in UTC, so that their order as text is their order in time.
MOMENT = "____-__-__T__:__:__.______+00:00"
TABLE = f"""CREATE TABLE further_infusion (
    study_id varchar(20) NOT NULL, patient varchar(64) NOT NULL, exposure integer NOT NULL,
    dose_level integer NOT NULL, regimen text NOT NULL, process text NOT NULL, clearance bigint NOT NULL,
    cleared_level integer NOT NULL, infused_at text NOT NULL, earliest_at text NOT NULL, seq bigint NOT NULL,
    PRIMARY KEY (study_id, patient, exposure),
    CONSTRAINT further_infusion_once UNIQUE (study_id, patient, infused_at),
    CONSTRAINT further_infusion_stratum FOREIGN KEY (study_id, clearance, regimen, process, cleared_level)
        REFERENCES clearance (study_id, clearance, regimen, process, dose_level),
    CONSTRAINT further_infusion_number CHECK (exposure >= 2),
    CONSTRAINT further_infusion_level CHECK (dose_level BETWEEN 1 AND cleared_level),
    CONSTRAINT further_infusion_moments CHECK (infused_at LIKE '{MOMENT}' AND earliest_at LIKE '{MOMENT}'),
    CONSTRAINT further_infusion_not_early CHECK (infused_at >= earliest_at))"""
STANDS = """SELECT 1 FROM clearance c WHERE c.study_id = NEW.study_id AND c.clearance = NEW.clearance
    AND c.regimen = NEW.regimen AND c.process = NEW.process AND c.dose_level = NEW.cleared_level
    AND c.revoked = 0"""
LOCKED = (
    "the dose lock: no clearance that stands covers the level, regimen and process of this further infusion"
)
# A connection to SQLite that did not ask for foreign keys would pass by them; it does not pass by a trigger.
SQLITE = tuple(
    f"""CREATE TRIGGER further_infusion_lock_{verb.lower()} BEFORE {verb} ON further_infusion
        WHEN NOT EXISTS ({STANDS}) BEGIN SELECT RAISE(ABORT, '{LOCKED}'); END"""
    for verb in ("INSERT", "UPDATE")
)
POSTGRESQL = (
    f"""CREATE FUNCTION further_infusion_lock() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT EXISTS ({STANDS}) THEN RAISE EXCEPTION '{LOCKED}'; END IF;
            RETURN NEW;
        END $$""",
    """CREATE TRIGGER further_infusion_lock BEFORE INSERT OR UPDATE ON further_infusion
       FOR EACH ROW EXECUTE FUNCTION further_infusion_lock()""",
    "ALTER TABLE further_infusion ENABLE ALWAYS TRIGGER further_infusion_lock",
    """CREATE TRIGGER further_infusion_touched AFTER INSERT OR UPDATE OR DELETE ON further_infusion
       FOR EACH ROW EXECUTE FUNCTION ledger_note_touch()""",
    "ALTER TABLE further_infusion ENABLE ALWAYS TRIGGER further_infusion_touched",
)


def write_schema(apps, schema_editor):
    """Add the table and its triggers in the words of the database in use."""
    postgresql = schema_editor.connection.vendor == "postgresql"
    with schema_editor.connection.cursor() as cursor:
        for statement in (TABLE, *(POSTGRESQL if postgresql else SQLITE)):
            cursor.execute(statement)


class Migration(migrations.Migration):
    """Further infusions."""

    dependencies = (("store", "0006_infusion"),)
    operations = (migrations.RunPython(write_schema, migrations.RunPython.noop),)
