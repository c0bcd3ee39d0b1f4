"""Which band of the linkage a pair that waits is in; cases of before get theirs by the next run."""

from django.db import migrations, models


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
    ]
