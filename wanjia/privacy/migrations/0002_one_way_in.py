"""The vault has one way in: a function that writes the trace entry and returns the blob in the same statement.

The role of the web process (`wanjia_web`) may use everything but the vault's table, and may only add to the trace. Where the migrating account may
not make roles, the operator makes `wanjia_web` and runs this migration's statements (docs/how-to).
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION privacy_open_person(wanted bigint, who text, purpose text)
RETURNS TABLE (version integer, blob bytea)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH entry AS (
        INSERT INTO trace_entry (kind, actor, purpose, subject) VALUES ('privacy.open_person', who, purpose, wanted) RETURNING id
    )
    SELECT v.version, v.blob FROM entry, privacy_vaultentry v WHERE v.person_id = wanted AND v.known_to IS NULL
$$;
REVOKE ALL ON FUNCTION privacy_open_person(bigint, text, text) FROM PUBLIC;
REVOKE ALL ON privacy_vaultentry FROM PUBLIC;
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'wanjia_web') THEN
        CREATE ROLE wanjia_web NOLOGIN;
    END IF;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE NOTICE 'the role wanjia_web could not be made: an administrator must make it';
END $$;
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'wanjia_web') THEN
        GRANT USAGE ON SCHEMA public TO wanjia_web;
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO wanjia_web;
        GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO wanjia_web;
        ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO wanjia_web;
        ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO wanjia_web;
        REVOKE ALL ON privacy_vaultentry FROM wanjia_web;
        REVOKE UPDATE, DELETE ON trace_entry FROM wanjia_web;
        GRANT EXECUTE ON FUNCTION privacy_open_person(bigint, text, text) TO wanjia_web;
    END IF;
END $$;
"""

BACKWARD = "DROP FUNCTION privacy_open_person(bigint, text, text);"


class Migration(migrations.Migration):
    dependencies = [("privacy", "0001_initial"), ("trace", "0002_append_only")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
