"""What stands against making two persons one, or two again: cases of anybody's area, told by their numbers only."""

from django.db import migrations

FORWARD = """
-- cases about these persons that are under way, but for one
CREATE FUNCTION register_cases_open(people bigint[], waiting text[], but bigint) RETURNS TABLE (event_id bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT DISTINCT e.id FROM register_event e JOIN register_eventparty p ON p.event_id = e.id
    WHERE p.person_id = ANY(people) AND e.status = ANY(waiting) AND e.id <> but ORDER BY 1
$$;
-- events about these persons that count and were registered after one; so are merges of a relative of theirs, who took the relation along
CREATE FUNCTION register_events_after(people bigint[], counting text[], first bigint) RETURNS TABLE (event_id bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT DISTINCT e.id FROM register_event e JOIN register_eventparty p ON p.event_id = e.id
    WHERE p.person_id = ANY(people) AND e.status = ANY(counting) AND EXISTS (SELECT FROM register_act a WHERE a.event_id = e.id)
    AND e.registered_at > (SELECT f.registered_at FROM register_event f WHERE f.id = first)
    UNION SELECT e.id FROM register_event e JOIN register_act a ON a.event_id = e.id
    WHERE e.kind = 'merge' AND e.status = ANY(counting) AND a.said->>'do' = 'take' AND a.said->>'fact' = 'relation'
    AND (a.said->'piece'->>'other_id')::bigint = ANY(people)
    AND e.registered_at > (SELECT f.registered_at FROM register_event f WHERE f.id = first) ORDER BY 1
$$;
REVOKE ALL ON FUNCTION register_cases_open(bigint[], text[], bigint), register_events_after(bigint[], text[], bigint) FROM PUBLIC;
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'wanjia_web') THEN
        GRANT EXECUTE ON FUNCTION register_cases_open(bigint[], text[], bigint), register_events_after(bigint[], text[], bigint) TO wanjia_web;
    END IF;
END $$;
CREATE INDEX register_redirect_by_event ON register_personredirect (event_id) WHERE event_id IS NOT NULL;
"""
BACKWARD = """
DROP INDEX register_redirect_by_event;
DROP FUNCTION register_events_after(bigint[], text[], bigint);
DROP FUNCTION register_cases_open(bigint[], text[], bigint);
"""


class Migration(migrations.Migration):
    dependencies = [("register", "0009_divisions")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
