"""Versions of the study, by hash, beside the ledger; kept for ever."""

from django.db import migrations

TABLE = """CREATE TABLE study_version (
    study_id varchar(20) NOT NULL, hash char(64) NOT NULL, texts text NOT NULL, PRIMARY KEY (study_id, hash))"""
SQLITE = (
    *(
        f"""CREATE TRIGGER study_version_no_{word} BEFORE {word.upper()} ON study_version
            BEGIN SELECT RAISE(ABORT, 'versions of the study are kept: no {word}'); END"""
        for word in ("update", "delete")
    ),
    """CREATE TRIGGER study_version_no_replace BEFORE INSERT ON study_version
       WHEN EXISTS (SELECT 1 FROM study_version WHERE study_id = NEW.study_id AND hash = NEW.hash)
       BEGIN SELECT RAISE(ABORT, 'versions of the study are kept: no replacement'); END""",
)
POSTGRESQL = (
    """CREATE FUNCTION study_version_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN RAISE EXCEPTION 'versions of the study are kept: no %', lower(TG_OP); END $$""",
    """CREATE TRIGGER study_version_no_change BEFORE UPDATE OR DELETE ON study_version
       FOR EACH ROW EXECUTE FUNCTION study_version_refuse()""",
    """CREATE TRIGGER study_version_no_truncate BEFORE TRUNCATE ON study_version
       FOR EACH STATEMENT EXECUTE FUNCTION study_version_refuse()""",
    "ALTER TABLE study_version ENABLE ALWAYS TRIGGER study_version_no_change",
    "ALTER TABLE study_version ENABLE ALWAYS TRIGGER study_version_no_truncate",
)


def write_schema(apps, schema_editor):
    """Add the table and the triggers that refuse every change to it."""
    statements = POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE
    with schema_editor.connection.cursor() as cursor:
        for statement in (TABLE, *statements):
            cursor.execute(statement)


class Migration(migrations.Migration):
    """Versions of the study."""

    dependencies = (("store", "0002_scheme_2"),)
    operations = (migrations.RunPython(write_schema, migrations.RunPython.noop),)
