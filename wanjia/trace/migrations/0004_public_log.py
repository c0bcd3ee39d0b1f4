"""The tables of the public log. The first trigger that kept entries goes with `seq`; migration 0005 sets the new ones."""

import django.contrib.postgres.fields.ranges
import django.contrib.postgres.indexes
from django.db import migrations, models


# the drop of a column that the trigger names would fail
DROP = """
DROP TRIGGER trace_entry_is_never_emptied ON trace_entry;
DROP TRIGGER trace_entry_stays ON trace_entry;
DROP FUNCTION trace_entry_stays();
"""


class Migration(migrations.Migration):
    dependencies = [
        ('trace', '0003_read_by_auditors'),
    ]

    operations = [
        migrations.RunSQL(DROP, migrations.RunSQL.noop),
        migrations.RemoveConstraint(
            model_name='entry',
            name='trace_seq_once',
        ),
        migrations.RemoveIndex(
            model_name='entry',
            name='trace_by_subject',
        ),
        migrations.RemoveIndex(
            model_name='entry',
            name='trace_pending',
        ),
        migrations.RemoveIndex(
            model_name='entry',
            name='trace_by_kind',
        ),
        migrations.RemoveIndex(
            model_name='entry',
            name='trace_by_actor',
        ),
        migrations.RemoveField(
            model_name='entry',
            name='seq',
        ),
        migrations.CreateModel(
            name='Checkpoint',
            fields=[
                ('size', models.BigIntegerField(primary_key=True, serialize=False)),
                ('root', models.BinaryField()),
                ('at', models.DateTimeField(db_default=models.Func(function='clock_timestamp'))),
                ('note', models.TextField()),
                ('cosigned', models.TextField(db_default='', default='')),
            ],
        ),
        migrations.CreateModel(
            name='Erasure',
            fields=[
                ('entry_id', models.BigIntegerField(primary_key=True, serialize=False)),
                ('seq', models.BigIntegerField(unique=True)),
                ('at', models.DateTimeField(db_default=models.Func(function='clock_timestamp'))),
                ('told_by', models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name='Gap',
            fields=[
                ('first_seq', models.BigIntegerField(primary_key=True, serialize=False)),
                ('end_seq', models.BigIntegerField()),
                ('told_at', models.DateTimeField(db_default=models.Func(function='clock_timestamp'))),
                ('note', models.TextField()),
            ],
        ),
        migrations.CreateModel(
            name='Gate',
            fields=[
                ('id', models.SmallIntegerField(primary_key=True, serialize=False)),
                ('bound_to', models.TextField(db_default='', default='')),
                ('reason', models.CharField(db_default='', default='', max_length=40)),
                ('since', models.DateTimeField(db_default=models.Func(function='clock_timestamp'))),
            ],
        ),
        migrations.CreateModel(
            name='JobPart',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('entry_id', models.BigIntegerField()),
                ('span', django.contrib.postgres.fields.ranges.BigIntegerRangeField()),
                ('persons', models.BinaryField()),
            ],
        ),
        migrations.CreateModel(
            name='JobPerson',
            fields=[
                ('pk', models.CompositePrimaryKey('person_id', 'entry_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('person_id', models.BigIntegerField()),
                ('entry_id', models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name='Nonce',
            fields=[
                ('seq', models.BigIntegerField(primary_key=True, serialize=False)),
                ('sealed', models.BinaryField()),
            ],
        ),
        migrations.CreateModel(
            name='Pending',
            fields=[
                ('entry_id', models.BigIntegerField(primary_key=True, serialize=False)),
            ],
        ),
        migrations.CreateModel(
            name='Place',
            fields=[
                ('seq', models.BigIntegerField(primary_key=True, serialize=False)),
                ('entry_id', models.BigIntegerField(null=True, unique=True)),
                ('commitment', models.BinaryField()),
            ],
        ),
        migrations.CreateModel(
            name='Seal',
            fields=[
                ('entry_id', models.BigIntegerField(primary_key=True, serialize=False)),
                ('number', models.BigIntegerField(unique=True)),
                ('basis', models.CharField(max_length=300)),
                ('approver', models.CharField(max_length=120)),
                ('opens_on', models.DateField()),
                ('opened_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='Tile',
            fields=[
                ('pk', models.CompositePrimaryKey('level', 'index', blank=True, editable=False, primary_key=True, serialize=False)),
                ('level', models.SmallIntegerField()),
                ('index', models.BigIntegerField()),
                ('hashes', models.BinaryField()),
            ],
        ),
        migrations.AddField(
            model_name='entry',
            name='basis',
            field=models.CharField(db_default='', default='', max_length=300),
        ),
        migrations.AddField(
            model_name='entry',
            name='department',
            field=models.CharField(db_default='', default='', max_length=60),
        ),
        migrations.AddField(
            model_name='entry',
            name='reach',
            field=models.SmallIntegerField(choices=[(0, 'subject'), (1, 'listed'), (2, 'everybody')], db_default=0, default=0),
        ),
        migrations.AlterField(
            model_name='entry',
            name='at',
            field=models.DateTimeField(db_default=models.Func(function='clock_timestamp')),
        ),
        migrations.AddIndex(
            model_name='entry',
            index=models.Index(condition=models.Q(('subject__isnull', False)), fields=['subject', 'at', 'id'], name='trace_by_person'),
        ),
        migrations.AddIndex(
            model_name='entry',
            index=models.Index(fields=['kind', 'at', 'id'], name='trace_by_kind'),
        ),
        migrations.AddIndex(
            model_name='entry',
            index=models.Index(fields=['actor', 'at', 'id'], name='trace_by_actor'),
        ),
        migrations.AddIndex(
            model_name='entry',
            index=models.Index(condition=models.Q(('department', ''), _negated=True), fields=['department', 'at', 'id'], name='trace_by_department'),
        ),
        migrations.AddIndex(
            model_name='entry',
            index=models.Index(fields=['at', 'id'], name='trace_by_time'),
        ),
        migrations.AddIndex(
            model_name='entry',
            index=models.Index(condition=models.Q(('reach', 2)), fields=['at', 'id'], name='trace_of_everybody'),
        ),
        migrations.AddConstraint(
            model_name='entry',
            constraint=models.CheckConstraint(condition=models.Q(('subject__isnull', True), ('reach', 0), _connector='OR'), name='trace_one_reach'),
        ),
        migrations.AddIndex(
            model_name='checkpoint',
            index=models.Index(condition=models.Q(('cosigned', ''), _negated=True), fields=['size'], name='trace_cosigned'),
        ),
        migrations.AddConstraint(
            model_name='gap',
            constraint=models.CheckConstraint(condition=models.Q(('end_seq__gt', models.F('first_seq'))), name='trace_gap_in_order'),
        ),
        migrations.AddConstraint(
            model_name='gate',
            constraint=models.CheckConstraint(condition=models.Q(('id', 1)), name='trace_one_gate'),
        ),
        migrations.AddIndex(
            model_name='jobpart',
            index=django.contrib.postgres.indexes.GistIndex(fields=['span'], name='trace_job_of_person'),
        ),
        migrations.AddIndex(
            model_name='jobpart',
            index=models.Index(fields=['entry_id'], name='trace_parts_of_job'),
        ),
        migrations.AddIndex(
            model_name='seal',
            index=models.Index(condition=models.Q(('opened_at__isnull', True)), fields=['opens_on'], name='trace_still_sealed'),
        ),
        migrations.AddConstraint(
            model_name='seal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('basis', ''), _negated=True), models.Q(('approver', ''), _negated=True)), name='trace_seal_says_law_and_approver'),
        ),
    ]
