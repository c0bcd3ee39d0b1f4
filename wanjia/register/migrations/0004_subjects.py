"""What deciding about persons needs, for the web role too: the wall of areas must not hide from the decision what it decides about."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION register_subjects(wanted bigint[])
RETURNS TABLE (person_id bigint, divisions text[], is_sealed boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT p.id, coalesce(
        (SELECT array_agg(DISTINCT place.division_now)
         FROM (SELECT DISTINCT ON (r.kind) r.division_now::text FROM register_residence r
               WHERE r.person_id = p.id AND upper_inf(r.known) ORDER BY r.kind, upper(r.valid) DESC NULLS FIRST) place),
        '{}'), p.is_sealed
    FROM register_person p WHERE p.id = ANY(wanted)
$$;
REVOKE ALL ON FUNCTION register_subjects(bigint[]) FROM PUBLIC;
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'wanjia_web') THEN
        GRANT EXECUTE ON FUNCTION register_subjects(bigint[]) TO wanjia_web;
    END IF;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("register", "0003_population_counts"), ("privacy", "0002_one_way_in")]
    operations = [migrations.RunSQL(FORWARD, "DROP FUNCTION register_subjects(bigint[]);")]
