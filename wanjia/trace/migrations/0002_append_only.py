"""Entries are written once: nobody updates or deletes them, not even the owner by mistake.

The one change allowed is giving a pending entry its place in the public log (`seq`), once.
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION trace_entry_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.seq IS NULL AND NEW.seq IS NOT NULL
       AND (NEW.id, NEW.at, NEW.kind, NEW.actor, NEW.purpose, NEW.detail) = (OLD.id, OLD.at, OLD.kind, OLD.actor, OLD.purpose, OLD.detail)
       AND NEW.subject IS NOT DISTINCT FROM OLD.subject THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'trace entries are append-only' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER trace_entry_stays BEFORE UPDATE OR DELETE ON trace_entry FOR EACH ROW EXECUTE FUNCTION trace_entry_stays();
CREATE TRIGGER trace_entry_is_never_emptied BEFORE TRUNCATE ON trace_entry FOR EACH STATEMENT EXECUTE FUNCTION trace_entry_stays();
REVOKE UPDATE, DELETE, TRUNCATE ON trace_entry FROM PUBLIC;
"""

BACKWARD = """
DROP TRIGGER trace_entry_is_never_emptied ON trace_entry;
DROP TRIGGER trace_entry_stays ON trace_entry;
DROP FUNCTION trace_entry_stays();
"""


class Migration(migrations.Migration):
    dependencies = [("trace", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
