"""What officers decide of pairs: a table that only grows, and what records are known by in it, whatever delivery states them."""

from django.db import migrations, models

FORWARD = """
CREATE FUNCTION linkage_decision_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % stay as they were written', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER linkage_decision_stays BEFORE DELETE
    OR UPDATE OF id, record_l, record_r, person_l, person_r, verdict, is_merge, by, at, probability, evidence
    ON linkage_decision FOR EACH ROW EXECUTE FUNCTION linkage_decision_stays();
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'wanjia_web') THEN
        REVOKE DELETE ON linkage_decision FROM wanjia_web;
    END IF;
END $$;
"""
BACKWARD = "DROP TRIGGER linkage_decision_stays ON linkage_decision; DROP FUNCTION linkage_decision_stays();"


class Migration(migrations.Migration):
    dependencies = [("linkage", "0001_initial"), ("privacy", "0002_one_way_in")]
    operations = [
        migrations.CreateModel(
            name="Decision",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("record_l", models.BigIntegerField()),
                ("record_r", models.BigIntegerField()),
                ("person_l", models.BigIntegerField(db_index=True)),
                ("person_r", models.BigIntegerField(db_index=True)),
                (
                    "verdict",
                    models.CharField(
                        choices=[
                            ("same", "one person / 同一人"),
                            ("different", "two persons / 非同一人"),
                            ("aside", "cannot tell / 无法判定"),
                        ],
                        max_length=12,
                    ),
                ),
                ("is_merge", models.BooleanField(default=False)),
                ("by", models.CharField(max_length=120)),
                ("at", models.DateTimeField()),
                ("probability", models.FloatField()),
                ("evidence", models.BigIntegerField(null=True)),
                ("reason", models.BinaryField(default=bytes)),
            ],
            options={
                "indexes": [models.Index(fields=["record_l", "record_r", "-id"], name="linkage_decided_of_pair")]
            },
        ),
        migrations.AddField("reviewcase", "record_l", models.BigIntegerField(db_default=0, default=0)),
        migrations.AddField("reviewcase", "record_r", models.BigIntegerField(db_default=0, default=0)),
        migrations.AlterField(
            "reviewcase",
            "status",
            models.CharField(
                choices=[
                    ("open", "open / 待办"),
                    ("confirmed", "one person / 同一人"),
                    ("refused", "two persons / 非同一人"),
                    ("aside", "put aside: nobody can tell / 暂缓，无法判定"),
                ],
                default="open",
                max_length=12,
            ),
        ),
        migrations.AlterField(
            "link",
            "method",
            models.CharField(
                choices=[
                    ("number", "by sound number / 有效号码"),
                    ("model", "by likeness / 模型比对"),
                    ("alone", "only record / 唯一记录"),
                    ("officer", "by an officer / 登记员认定"),
                ],
                max_length=8,
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
