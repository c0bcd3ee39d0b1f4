"""Opening a person also returns what events say of them, in the same statement as the trace entry.

The web role writes amendments and ends them, and never reads their content but through the function.
"""

from django.db import migrations

FORWARD = """
DROP FUNCTION privacy_open_person(bigint, text, text, jsonb);
CREATE FUNCTION privacy_open_person(wanted bigint, who text, purpose text, said jsonb DEFAULT '{}')
RETURNS TABLE (version integer, blob bytea, amendments bigint[], events bigint[], amended bytea[])
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
    SELECT v.version, v.blob, a.ids, a.events, a.blobs
    FROM entry LEFT JOIN privacy_vaultentry v ON v.person_id = wanted AND v.known_to IS NULL
    CROSS JOIN LATERAL (
        SELECT array_agg(m.id ORDER BY m.event_id, m.id) AS ids, array_agg(m.event_id ORDER BY m.event_id, m.id) AS events,
            array_agg(m.blob ORDER BY m.event_id, m.id) AS blobs
        FROM privacy_amendment m WHERE m.person_id = wanted AND m.known_to IS NULL
    ) a WHERE v.version IS NOT NULL OR a.ids IS NOT NULL
$$;
REVOKE ALL ON FUNCTION privacy_open_person(bigint, text, text, jsonb) FROM PUBLIC;
REVOKE ALL ON privacy_amendment FROM PUBLIC;
CREATE FUNCTION privacy_amendment_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.known_to IS NOT NULL OR NEW.person_id <> OLD.person_id OR NEW.event_id <> OLD.event_id OR NEW.known_from <> OLD.known_from THEN
        RAISE EXCEPTION 'an amendment is ended once and changed never' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER privacy_amendment_stays BEFORE UPDATE OF person_id, event_id, known_from, known_to ON privacy_amendment
    FOR EACH ROW EXECUTE FUNCTION privacy_amendment_stays();
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'wanjia_web') THEN
        GRANT EXECUTE ON FUNCTION privacy_open_person(bigint, text, text, jsonb) TO wanjia_web;
        REVOKE ALL ON privacy_amendment FROM wanjia_web;
        GRANT INSERT ON privacy_amendment TO wanjia_web;
        GRANT SELECT (id, person_id, event_id, known_from, known_to), UPDATE (known_to) ON privacy_amendment TO wanjia_web;
    END IF;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("privacy", "0005_events"), ("trace", "0005_log_stays")]
    operations = [migrations.RunSQL(FORWARD, migrations.RunSQL.noop)]
