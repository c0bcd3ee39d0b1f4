"""Certificates are written once: nobody updates or deletes them."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION keys_certificate_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'certificates are append-only' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER keys_certificate_stays BEFORE UPDATE OR DELETE ON keys_certificate FOR EACH ROW EXECUTE FUNCTION keys_certificate_stays();
CREATE TRIGGER keys_certificate_is_never_emptied BEFORE TRUNCATE ON keys_certificate
    FOR EACH STATEMENT EXECUTE FUNCTION keys_certificate_stays();
"""

BACKWARD = """
DROP TRIGGER keys_certificate_is_never_emptied ON keys_certificate;
DROP TRIGGER keys_certificate_stays ON keys_certificate;
DROP FUNCTION keys_certificate_stays();
"""


class Migration(migrations.Migration):
    dependencies = [("keys", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
