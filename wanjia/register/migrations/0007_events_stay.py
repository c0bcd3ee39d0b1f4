"""Steps and acts stay as they were written; the pages' role writes facts only of the persons its event is about.

A transaction that registers an event says whom it is about by a setting of its own (`wanjia.writing`, SET LOCAL); nothing else lets the role of the
pages see or write facts beyond its wall.
"""

from django.db import migrations

TABLES = ("register_personstate", "register_residence", "register_membership", "register_relation")

FORWARD = """
CREATE FUNCTION register_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % stay as they were written', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER register_eventstep_stays BEFORE DELETE OR UPDATE OF event_id, number, verb, status, at, by ON register_eventstep
    FOR EACH ROW EXECUTE FUNCTION register_stays();
-- only the erasing of a person (by the owner, one person at a time) deletes what events did to them
CREATE FUNCTION register_act_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('wanjia.erasing', true) = OLD.person_id::text THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'rows of % stay as they were written', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER register_act_stays BEFORE DELETE OR UPDATE ON register_act FOR EACH ROW EXECUTE FUNCTION register_act_stays();
ALTER TABLE register_basis ENABLE ROW LEVEL SECURITY;
ALTER TABLE register_basis FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_loads ON register_basis TO CURRENT_USER USING (true) WITH CHECK (true);
ALTER TABLE register_act ENABLE ROW LEVEL SECURITY;
ALTER TABLE register_act FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_loads ON register_act TO CURRENT_USER USING (true) WITH CHECK (true);
ALTER TABLE register_eventparty ENABLE ROW LEVEL SECURITY;
ALTER TABLE register_eventparty FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_loads ON register_eventparty TO CURRENT_USER USING (true) WITH CHECK (true);
-- the newest standing event of one kind about a person, everybody it is about, and whether one of `movers` used it already
CREATE FUNCTION register_pair(pair text, movers bigint[], counting text[])
RETURNS TABLE (event_id bigint, people bigint[], is_used boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT e.id, (SELECT array_agg(p.person_id) FROM register_eventparty p WHERE p.event_id = e.id AND p.role = 'mover'),
        EXISTS (SELECT FROM register_event l JOIN register_eventparty q ON q.event_id = l.id
            WHERE l.about_id = e.id AND l.status = ANY(counting) AND l.kind NOT IN ('revocation', 'reinstatement') AND q.person_id = ANY(movers))
    FROM register_event e JOIN register_eventparty f ON f.event_id = e.id AND f.role = 'mover' AND f.person_id = movers[1]
    WHERE e.kind = pair AND e.status = ANY(counting) ORDER BY e.registered_at DESC LIMIT 1
$$;
-- a number only: what the pages' role may not see row by row it may count, and small numbers are held back by privacy
CREATE FUNCTION register_count_as_of(code text, basis text, day date, moment timestamptz) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT count(DISTINCT r.person_id) FROM register_residence r
    WHERE (r.division LIKE code || '%' OR r.division_now LIKE code || '%') AND r.kind = basis AND r.valid @> day
    AND CASE WHEN moment IS NULL THEN upper_inf(r.known) ELSE r.known @> moment END
$$;
-- where events may stand beside each other a relative's children must be found: ids only
CREATE FUNCTION register_concerned(wanted bigint[], households bigint[]) RETURNS TABLE (person_id bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT unnest(wanted)
    UNION SELECT m.person_id FROM register_membership m WHERE upper_inf(m.known) AND upper_inf(m.valid) AND m.household_id = ANY(households)
    UNION SELECT r.other_id FROM register_relation r WHERE upper_inf(r.known) AND r.kind = 'spouse' AND r.person_id = ANY(wanted)
    UNION SELECT r.person_id FROM register_relation r WHERE upper_inf(r.known) AND r.other_id = ANY(wanted)
$$;
CREATE FUNCTION register_homes(wanted bigint[]) RETURNS TABLE (person_id bigint, household_id bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT m.person_id, m.household_id FROM register_membership m
    WHERE upper_inf(m.known) AND upper_inf(m.valid) AND m.person_id = ANY(wanted)
$$;
CREATE FUNCTION register_places(households bigint[]) RETURNS TABLE (household_id bigint, division text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT DISTINCT ON (m.household_id) m.household_id, r.division::text
    FROM register_membership m JOIN register_residence r ON r.person_id = m.person_id AND r.kind = 'domicile'
    WHERE upper_inf(m.known) AND m.household_id = ANY(households) AND upper_inf(r.known)
    ORDER BY m.household_id, upper(m.valid) DESC NULLS FIRST, upper(r.valid) DESC NULLS FIRST, m.is_head DESC, m.person_id
$$;
CREATE FUNCTION register_people_of(event bigint) RETURNS TABLE (person_id bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT DISTINCT a.person_id FROM register_act a WHERE a.event_id = event
$$;
CREATE FUNCTION register_head(household bigint) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT m.person_id FROM register_membership m
    WHERE upper_inf(m.known) AND upper_inf(m.valid) AND m.household_id = household ORDER BY m.is_head DESC, m.person_id LIMIT 1
$$;
-- a household is there while any row known now names it, whoever may see that row
CREATE FUNCTION register_keep_households(touched bigint[], moment timestamptz) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    INSERT INTO register_household (id, founded_at) SELECT h, moment FROM unnest(touched) h ON CONFLICT (id) DO NOTHING;
    UPDATE register_household t SET left_at = moment WHERE t.id = ANY(touched) AND t.left_at IS NULL
        AND NOT EXISTS (SELECT FROM register_membership m WHERE m.household_id = t.id AND upper_inf(m.known));
    UPDATE register_household t SET left_at = NULL WHERE t.id = ANY(touched) AND t.left_at IS NOT NULL
        AND EXISTS (SELECT FROM register_membership m WHERE m.household_id = t.id AND upper_inf(m.known));
$$;
REVOKE ALL ON FUNCTION register_concerned(bigint[], bigint[]), register_homes(bigint[]), register_places(bigint[]),
    register_keep_households(bigint[], timestamptz), register_head(bigint), register_people_of(bigint),
    register_pair(text, bigint[], text[]), register_count_as_of(text, text, date, timestamptz) FROM PUBLIC;
DO $$
DECLARE named text;
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'wanjia_web') THEN
        FOREACH named IN ARRAY ARRAY['register_personstate', 'register_residence', 'register_membership', 'register_relation',
            'register_basis', 'register_act'] LOOP
            EXECUTE format($policy$
                CREATE POLICY web_writes_of_its_event ON %I TO wanjia_web
                USING (person_id = ANY ((SELECT coalesce(nullif(current_setting('wanjia.writing', true), ''), '{}')::bigint[])::bigint[]))
                WITH CHECK (person_id = ANY ((SELECT coalesce(nullif(current_setting('wanjia.writing', true), ''), '{}')::bigint[])::bigint[]))
            $policy$, named);
        END LOOP;
        CREATE POLICY web_sees_its_cases ON register_eventparty TO wanjia_web
            USING (event_id = ANY ((SELECT coalesce(nullif(current_setting('wanjia.cases', true), ''), '{}')::bigint[])::bigint[]))
            WITH CHECK (event_id = ANY ((SELECT coalesce(nullif(current_setting('wanjia.cases', true), ''), '{}')::bigint[])::bigint[]));
        REVOKE DELETE ON register_personstate, register_residence, register_membership, register_relation FROM wanjia_web;
        REVOKE UPDATE, DELETE ON register_act FROM wanjia_web;
        REVOKE DELETE ON register_eventstep, register_event, register_basis, register_outbox, register_numberseries FROM wanjia_web;
        GRANT EXECUTE ON FUNCTION register_concerned(bigint[], bigint[]), register_homes(bigint[]), register_places(bigint[]),
            register_keep_households(bigint[], timestamptz), register_head(bigint), register_people_of(bigint),
            register_pair(text, bigint[], text[]), register_count_as_of(text, text, date, timestamptz) TO wanjia_web;
    END IF;
END $$;
CREATE SEQUENCE register_person_by_event AS bigint MINVALUE 1 MAXVALUE 4294967295;
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'wanjia_web') THEN
        GRANT USAGE, SELECT ON SEQUENCE register_person_by_event TO wanjia_web;
    END IF;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("register", "0006_events"), ("privacy", "0002_one_way_in")]
    operations = [migrations.RunSQL(FORWARD, migrations.RunSQL.noop)]
