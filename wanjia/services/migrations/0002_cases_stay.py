"""Steps and evidence are written once: they may be sealed again under a newer key, or erased, and nothing else. A case changes in its progress only."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION services_written_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (to_jsonb(NEW) - '{sealed,size}'::text[]) = (to_jsonb(OLD) - '{sealed,size}'::text[])
       AND (length(NEW.sealed) = 0 OR substring(NEW.sealed from 2 for 4) > substring(OLD.sealed from 2 for 4)) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER services_step_stays BEFORE UPDATE OR DELETE ON services_step FOR EACH ROW EXECUTE FUNCTION services_written_stays();
CREATE TRIGGER services_evidence_stays BEFORE UPDATE OR DELETE ON services_evidence FOR EACH ROW EXECUTE FUNCTION services_written_stays();
CREATE FUNCTION services_case_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.state <> 'closed' AND (OLD.answered_at IS NULL OR NEW.answered_at = OLD.answered_at)
       AND (to_jsonb(NEW) - '{state,outcome,answered_at,due_on}'::text[]) = (to_jsonb(OLD) - '{state,outcome,answered_at,due_on}'::text[]) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'cases stay, and a closed one does not change' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER services_case_stays BEFORE UPDATE OR DELETE ON services_case FOR EACH ROW EXECUTE FUNCTION services_case_stays();
"""

BACKWARD = """
DROP TRIGGER services_case_stays ON services_case;
DROP FUNCTION services_case_stays();
DROP TRIGGER services_evidence_stays ON services_evidence;
DROP TRIGGER services_step_stays ON services_step;
DROP FUNCTION services_written_stays();
"""


class Migration(migrations.Migration):
    dependencies = [("services", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
