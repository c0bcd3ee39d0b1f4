"""Decisions made together are undone together."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("linkage", "0002_decisions")]
    operations = [migrations.AddField("decision", "batch", models.UUIDField(null=True, db_index=True))]
