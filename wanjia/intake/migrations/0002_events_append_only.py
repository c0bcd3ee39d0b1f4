"""What happened to a delivery cannot be changed afterwards: the trigger refuses UPDATE and DELETE for every role."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION intake_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'intake_deliveryevent is append-only' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER intake_events_append_only BEFORE UPDATE OR DELETE ON intake_deliveryevent
    FOR EACH ROW EXECUTE FUNCTION intake_refuse_change();
"""
BACKWARD = """
DROP TRIGGER intake_events_append_only ON intake_deliveryevent;
DROP FUNCTION intake_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("intake", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
