"""Indexes for an auditor's search. Each holds the columns of the other filters too, so that a rare mix is found without fetching entries.

An index can answer alone only for pages that were vacuumed since they were filled: that must happen more often than after a fifth of the table.
"""

import django.db.models.functions.text
import django.db.models.lookups
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('trace', '0006_nonces_may_be_sealed_again'),
    ]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE trace_entry SET (autovacuum_vacuum_insert_scale_factor = 0.005, autovacuum_vacuum_insert_threshold = 20000)",
            "ALTER TABLE trace_entry RESET (autovacuum_vacuum_insert_scale_factor, autovacuum_vacuum_insert_threshold)",
        ),
        migrations.RemoveIndex(
            model_name='entry',
            name='trace_by_kind',
        ),
        migrations.RemoveIndex(
            model_name='entry',
            name='trace_by_actor',
        ),
        migrations.RemoveIndex(
            model_name='entry',
            name='trace_by_department',
        ),
        migrations.AddIndex(
            model_name='entry',
            index=models.Index(fields=['kind', 'at', 'id'], include=('actor', 'department', 'purpose', 'reach'), name='trace_by_kind'),
        ),
        migrations.AddIndex(
            model_name='entry',
            index=models.Index(fields=['actor', 'at', 'id'], include=('kind', 'department', 'purpose', 'reach'), name='trace_by_actor'),
        ),
        migrations.AddIndex(
            model_name='entry',
            index=models.Index(condition=models.Q(('department', ''), _negated=True), fields=['department', 'at', 'id'], include=('kind', 'actor', 'purpose', 'reach'), name='trace_by_department'),
        ),
        migrations.AddIndex(
            model_name='entry',
            index=models.Index(models.Func(models.F('purpose'), models.Value(':'), models.Value(1), function='split_part', output_field=models.TextField()), models.F('at'), models.F('id'), include=('purpose', 'kind', 'actor', 'department', 'reach'), name='trace_by_purpose'),
        ),
        migrations.AddIndex(
            model_name='entry',
            index=models.Index(condition=models.Q(django.db.models.lookups.GreaterThan(django.db.models.functions.text.StrIndex('purpose', models.Value(':')), 0)), fields=['purpose', 'at', 'id'], name='trace_by_case'),
        ),
        migrations.AddIndex(
            model_name='entry',
            index=models.Index(condition=models.Q(('reach__gt', 0)), fields=['at', 'id'], include=('kind', 'actor', 'department', 'purpose'), name='trace_of_jobs'),
        ),
    ]
