"""A sealed read is opened only with an entry that says so: on its day by the timetable, before it by two people.

Until now the pages' role could write `opened_at` itself; that goes. Who asks and who agrees must differ; the entry that tells of the opening is about
the person, who so sees the read and its opening at once. That somebody asked is not shown to the person: it would tell of the read.
"""

from django.db import migrations, models

FORWARD = """
CREATE TRIGGER trace_opening_stays BEFORE UPDATE OR DELETE ON trace_opening FOR EACH ROW EXECUTE FUNCTION trace_stays();
CREATE TRIGGER trace_opening_is_never_emptied BEFORE TRUNCATE ON trace_opening FOR EACH STATEMENT EXECUTE FUNCTION trace_stays();

CREATE FUNCTION trace_open_early(wanted bigint, who text, purpose text, today date) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    seal trace_seal;
    asked trace_opening;
BEGIN
    SELECT * INTO seal FROM trace_seal s WHERE s.entry_id = wanted FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 'unknown';
    ELSIF seal.opened_at IS NOT NULL OR seal.opens_on <= today THEN
        RETURN 'open';
    END IF;
    SELECT * INTO asked FROM trace_opening o WHERE o.entry_id = wanted;
    IF NOT FOUND THEN
        INSERT INTO trace_opening (entry_id, asked_by, why) VALUES (wanted, who, trace_open_early.purpose);
        INSERT INTO trace_entry (kind, actor, purpose, detail)
            VALUES ('trace.ask_opening', who, trace_open_early.purpose, jsonb_build_object('seal', seal.number));
        RETURN 'asked';
    ELSIF asked.asked_by = who THEN
        RETURN 'same';
    END IF;
    INSERT INTO trace_entry (kind, actor, purpose, basis, subject, detail)
        SELECT 'trace.open_seal', who, trace_open_early.purpose, seal.basis, (SELECT e.subject FROM trace_entry e WHERE e.id = wanted),
            jsonb_build_object('entry', wanted, 'seal', seal.number, 'asked_by', asked.asked_by, 'opens_on', seal.opens_on);
    UPDATE trace_seal s SET opened_at = clock_timestamp() WHERE s.entry_id = wanted;
    RETURN 'opened';
END $$;

-- `today` is the office's day; the database lets no day begin before it begins somewhere on earth
CREATE FUNCTION trace_open_due(who text, purpose text, today date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    latest date := least(today, (clock_timestamp() AT TIME ZONE 'UTC' + interval '14 hours')::date);
    numbers bigint[];
BEGIN
    WITH opened AS (
        UPDATE trace_seal SET opened_at = clock_timestamp()
        WHERE entry_id IN (SELECT s.entry_id FROM trace_seal s WHERE s.opened_at IS NULL AND s.opens_on <= latest ORDER BY s.opens_on, s.number LIMIT 1000)
        RETURNING number
    ) SELECT array_agg(number ORDER BY number) INTO numbers FROM opened;
    IF numbers IS NULL THEN
        RETURN 0;
    END IF;
    INSERT INTO trace_entry (kind, actor, purpose, detail)
        VALUES ('trace.open_due', who, trace_open_due.purpose, jsonb_build_object('seals', to_jsonb(numbers)));
    RETURN cardinality(numbers);
END $$;
REVOKE ALL ON FUNCTION trace_open_early(bigint, text, text, date), trace_open_due(text, text, date) FROM PUBLIC;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'wanjia_web') THEN
        REVOKE ALL ON trace_opening FROM wanjia_web;
        GRANT SELECT ON trace_opening TO wanjia_web;
        REVOKE UPDATE ON trace_seal FROM wanjia_web;
        REVOKE UPDATE (opened_at) ON trace_seal FROM wanjia_web;
        GRANT EXECUTE ON FUNCTION trace_open_early(bigint, text, text, date) TO wanjia_web;
    END IF;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("trace", "0007_search_at_ten_million")]
    operations = [
        migrations.CreateModel(
            name="Opening",
            fields=[
                ("entry_id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("asked_at", models.DateTimeField(db_default=models.Func(function="clock_timestamp"))),
                ("asked_by", models.CharField(max_length=120)),
                ("why", models.CharField(max_length=300)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(models.Q(("asked_by", ""), _negated=True), models.Q(("why", ""), _negated=True)),
                        name="trace_opening_says_who_and_why",
                    )
                ]
            },
        ),
        migrations.RunSQL(FORWARD, migrations.RunSQL.noop),
    ]
