"""Steps of incidents and decisions on alerts are written once; only their sealing may change, when a key rotates."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION oversight_step_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (NEW.id, NEW.incident_id, NEW.kind, NEW.at, NEW."by") = (OLD.id, OLD.incident_id, OLD.kind, OLD.at, OLD."by")
       AND substring(NEW.sealed from 2 for 4) > substring(OLD.sealed from 2 for 4) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'steps of incidents are append-only' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER oversight_step_stays BEFORE UPDATE OR DELETE ON oversight_incidentstep FOR EACH ROW EXECUTE FUNCTION oversight_step_stays();
CREATE FUNCTION oversight_alert_is_decided_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (OLD.state = 'open' OR (NEW.state, NEW.decided_at, NEW.decided_by, NEW.entries)
       = (OLD.state, OLD.decided_at, OLD.decided_by, OLD.entries)) AND (NEW.rule, NEW.actor, NEW.occasion) = (OLD.rule, OLD.actor, OLD.occasion) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'alerts stay, and are decided once' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER oversight_alert_is_decided_once BEFORE UPDATE OR DELETE ON oversight_alert
    FOR EACH ROW EXECUTE FUNCTION oversight_alert_is_decided_once();
"""

BACKWARD = """
DROP TRIGGER oversight_alert_is_decided_once ON oversight_alert;
DROP FUNCTION oversight_alert_is_decided_once();
DROP TRIGGER oversight_step_stays ON oversight_incidentstep;
DROP FUNCTION oversight_step_stays();
"""


class Migration(migrations.Migration):
    dependencies = [("oversight", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
