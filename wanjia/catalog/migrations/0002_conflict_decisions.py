"""What officers decide of conflicts: a table that only grows; and on a finding, which decision stands and where it waits."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

FORWARD = """
CREATE FUNCTION catalog_decision_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % stay as they were written', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER catalog_decision_stays BEFORE DELETE
    OR UPDATE OF id, kind, element, person_id, other_person_id, household_id, verdict, sources, "right", case_id, by, at
    ON catalog_conflictdecision FOR EACH ROW EXECUTE FUNCTION catalog_decision_stays();
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'wanjia_web') THEN
        REVOKE DELETE ON catalog_conflictdecision FROM wanjia_web;
    END IF;
END $$;
"""
BACKWARD = "DROP TRIGGER catalog_decision_stays ON catalog_conflictdecision; DROP FUNCTION catalog_decision_stays();"
VERDICTS = [
    ("stands", "the register's value stands / 登记值不变"),
    ("correct", "another source is right, the register is corrected / 另一来源正确，更正登记"),
    ("returned", "sent back to the sources / 退回来源"),
]


class Migration(migrations.Migration):
    dependencies = [("catalog", "0001_initial"), ("privacy", "0002_one_way_in")]
    operations = [
        migrations.CreateModel(
            name="ConflictDecision",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=60)),
                ("element", models.CharField(max_length=80)),
                ("person_id", models.BigIntegerField(db_index=True)),
                ("other_person_id", models.BigIntegerField(null=True)),
                ("household_id", models.BigIntegerField(null=True)),
                ("verdict", models.CharField(choices=VERDICTS, max_length=10)),
                ("sources", django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=80), size=None)),
                ("right", django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=80), default=list, size=None)),
                ("case_id", models.BigIntegerField(null=True)),
                ("by", models.CharField(max_length=120)),
                ("at", models.DateTimeField()),
                ("reason", models.BinaryField(default=bytes)),
                ("said", models.BinaryField(default=bytes)),
            ],
            options={
                "indexes": [models.Index(fields=["kind", "element", "person_id", "-id"], name="catalog_decided_of_conflict")]
            },
        ),
        migrations.AddField(
            "finding",
            "decision",
            models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="findings", to="catalog.conflictdecision"
            ),
        ),
        migrations.AddField("finding", "division", models.CharField(blank=True, db_default="", default="", max_length=12)),
        migrations.AlterField(
            "finding",
            "status",
            models.CharField(
                choices=[("open", "open"), ("closed", "closed"), ("settled", "settled")], default="open", max_length=10
            ),
        ),
        migrations.RemoveConstraint("finding", "catalog_finding_closes_once"),
        migrations.AddConstraint(
            "finding",
            models.CheckConstraint(
                condition=Q(status="open", closed_on__isnull=True) | (~Q(status="open") & Q(closed_on__isnull=False)),
                name="catalog_finding_closes_once",
            ),
        ),
        migrations.AddIndex(
            "finding",
            models.Index(
                fields=["division"],
                opclasses=["varchar_pattern_ops"],
                condition=Q(status="open", decision__isnull=True, person_id__isnull=False),
                name="catalog_conflicts_waiting",
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
