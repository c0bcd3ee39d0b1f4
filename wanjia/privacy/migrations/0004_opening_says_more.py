"""The opening's entry says for which department, on which ground and which fields, and can be kept sealed for a time; still one statement."""

from django.db import migrations

FORWARD = """
DROP FUNCTION privacy_open_person(bigint, text, text);
CREATE FUNCTION privacy_open_person(wanted bigint, who text, purpose text, said jsonb DEFAULT '{}')
RETURNS TABLE (version integer, blob bytea)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH entry AS (
        INSERT INTO trace_entry (kind, actor, purpose, subject, department, basis, detail)
        VALUES ('privacy.open_person', who, purpose, wanted, coalesce(said->>'department', ''), coalesce(said->>'basis', ''),
            coalesce(said->'detail', '{}'))
        RETURNING id
    ), sealed AS (
        INSERT INTO trace_seal (entry_id, number, basis, approver, opens_on)
        SELECT id, 0, said->'seal'->>'basis', said->'seal'->>'approver', (said->'seal'->>'opens_on')::date FROM entry WHERE said ? 'seal'
    )
    SELECT v.version, v.blob FROM entry, privacy_vaultentry v WHERE v.person_id = wanted AND v.known_to IS NULL
$$;
REVOKE ALL ON FUNCTION privacy_open_person(bigint, text, text, jsonb) FROM PUBLIC;
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'wanjia_web') THEN
        GRANT EXECUTE ON FUNCTION privacy_open_person(bigint, text, text, jsonb) TO wanjia_web;
    END IF;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("privacy", "0003_keys_named"), ("trace", "0005_log_stays")]
    operations = [migrations.RunSQL(FORWARD, migrations.RunSQL.noop)]
