"""Changes of divisions, and the living by written division.

The role of the pages may order a change and count what it would touch; it neither carries one out nor alters one that was ordered.
"""

from django.db import migrations, models

import wanjia.kernel.clock

FORWARD = """
CREATE FUNCTION register_divisionchange_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.carried_out_at IS NULL AND OLD.withdrawn_at IS NULL THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'rows of % stay as they were written', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER register_divisionchange_stays BEFORE DELETE OR UPDATE ON register_divisionchange
    FOR EACH ROW EXECUTE FUNCTION register_divisionchange_stays();
CREATE TRIGGER register_divisionchange_words_stay BEFORE UPDATE OF code, kind, "on", text, ordered_by, ordered_at ON register_divisionchange
    FOR EACH ROW EXECUTE FUNCTION register_stays();
-- numbers only, by written code: what a change would touch
CREATE FUNCTION register_written_in(prefixes text[]) RETURNS TABLE (kind text, division text, division_now text, people bigint, households bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT r.kind::text, r.division::text, r.division_now::text, count(DISTINCT r.person_id), count(DISTINCT m.household_id)
    FROM register_residence r LEFT JOIN register_membership m ON m.person_id = r.person_id AND r.kind = 'domicile'
        AND upper_inf(m.known) AND upper_inf(m.valid)
    WHERE upper_inf(r.known) AND EXISTS (SELECT FROM unnest(prefixes) p WHERE r.division_now LIKE p || '%')
    GROUP BY 1, 2, 3
$$;
REVOKE ALL ON FUNCTION register_written_in(text[]) FROM PUBLIC;
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'wanjia_web') THEN
        GRANT EXECUTE ON FUNCTION register_written_in(text[]) TO wanjia_web;
        REVOKE UPDATE, DELETE ON register_divisionchange FROM wanjia_web;
        REVOKE INSERT, UPDATE, DELETE ON register_divisioncount FROM wanjia_web;
    END IF;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("register", "0008_trust_request")]
    operations = [
        migrations.CreateModel(
            name="DivisionChange",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("code", models.CharField(max_length=60, unique=True)),
                ("kind", models.CharField(max_length=10)),
                ("on", models.DateField()),
                ("text", models.TextField()),
                ("ordered_by", models.CharField(max_length=120)),
                ("ordered_at", models.DateTimeField(default=wanjia.kernel.clock.now)),
                ("withdrawn_at", models.DateTimeField(null=True)),
                ("carried_out_at", models.DateTimeField(null=True)),
                ("counts", models.JSONField(default=dict)),
            ],
        ),
        migrations.CreateModel(
            name="DivisionCount",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("as_of", models.DateField()),
                ("counted_at", models.DateTimeField()),
                (
                    "basis",
                    models.CharField(choices=[("domicile", "户籍地"), ("residence", "现居住地")], max_length=10),
                ),
                ("division", models.CharField(max_length=12)),
                ("people", models.IntegerField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("as_of", "basis", "division"), name="register_division_counted_once"
                    )
                ],
            },
        ),
        migrations.RunSQL(FORWARD, migrations.RunSQL.noop),
    ]
