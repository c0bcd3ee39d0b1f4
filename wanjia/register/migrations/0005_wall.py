"""The second wall: rows about persons are seen only by whom their area, or a grant for just this person, lets see them.

A transaction says for whom it reads by settings of its own (`SET LOCAL`, see access.api.walls); one that says nothing sees no row. The settings
are read with nullif because a setting that was once made in a session comes back as '' and not as NULL. The owner, for whom loads and jobs
run, has a policy of its own; FORCE makes even the owner's rows pass a policy. Against injected SQL this wall does not hold (an injected
statement can make settings too): that is what the vault's own role is for.
"""

from django.db import migrations

TABLES = ("register_personstate", "register_residence", "register_membership", "register_relation")

FORWARD = """
CREATE INDEX register_sealed ON register_person (id) WHERE is_sealed;
CREATE FUNCTION register_lives_in_reach(person bigint) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER COST 1000 SET search_path = public, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM register_residence r WHERE r.person_id = person AND upper_inf(r.known)
        AND r.division_now LIKE nullif(current_setting('wanjia.area', true), '') || '%')
    OR person = ANY (coalesce(nullif(current_setting('wanjia.granted', true), ''), '{}')::bigint[])
    OR (nullif(current_setting('wanjia.household', true), '') = 'yes' AND EXISTS (
        SELECT FROM register_membership own JOIN register_membership other USING (household_id)
        WHERE own.person_id = ANY (coalesce(nullif(current_setting('wanjia.persons', true), ''), '{}')::bigint[])
        AND other.person_id = person AND upper_inf(own.known) AND upper_inf(own.valid)
        AND upper_inf(other.known) AND upper_inf(other.valid)))
$$;
REVOKE ALL ON FUNCTION register_lives_in_reach(bigint) FROM PUBLIC;
DO $$
DECLARE named text;
BEGIN
    FOREACH named IN ARRAY ARRAY['register_personstate', 'register_residence', 'register_membership', 'register_relation'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', named);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', named);
        EXECUTE format('CREATE POLICY owner_loads ON %I TO CURRENT_USER USING (true) WITH CHECK (true)', named);
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'wanjia_web') THEN
            -- settings stand in sub-selects, so that they are read once and not for each row; sealed persons are few and hashed once
            EXECUTE format($policy$
                CREATE POLICY web_sees_its_area ON %I FOR SELECT TO wanjia_web USING (
                    person_id = ANY ((SELECT coalesce(nullif(current_setting('wanjia.persons', true), ''), '{}')::bigint[])::bigint[])
                    OR (
                        ((SELECT current_setting('wanjia.sealed', true)) = 'yes'
                         OR person_id NOT IN (SELECT p.id FROM register_person p WHERE p.is_sealed))
                        AND ((SELECT current_setting('wanjia.area', true)) = '*' OR register_lives_in_reach(person_id))))
            $policy$, named);
        END IF;
    END LOOP;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'wanjia_web') THEN
        GRANT EXECUTE ON FUNCTION register_lives_in_reach(bigint) TO wanjia_web;
    END IF;
END $$;
"""

BACKWARD = (
    "".join(
        f"DROP POLICY owner_loads ON {table}; DROP POLICY IF EXISTS web_sees_its_area ON {table};"
        f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY; ALTER TABLE {table} DISABLE ROW LEVEL SECURITY;"
        for table in TABLES
    )
    + "DROP FUNCTION register_lives_in_reach(bigint); DROP INDEX register_sealed;"
)


class Migration(migrations.Migration):
    dependencies = [("register", "0004_subjects")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
