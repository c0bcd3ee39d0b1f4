"""Which band of the linkage a pair that waits is in."""

from django.db import migrations, models

#: as near as the reason tells; the next run says it exactly
NEAR = "UPDATE linkage_reviewcase SET band = CASE reason WHEN 'shared_number' THEN '' WHEN 'uncertain' THEN 'review' ELSE 'link' END"

class Migration(migrations.Migration):
    dependencies = [("linkage", "0003_decided_together")]
    operations = [
        migrations.AddField(
            "reviewcase",
            "band",
            models.CharField(
                blank=True,
                choices=[("link", "linked / 已关联"), ("review", "waiting for an officer / 待核实")],
                db_default="",
                default="",
                max_length=8,
            ),
        ),
        migrations.RunSQL(NEAR, migrations.RunSQL.noop),
    ]
