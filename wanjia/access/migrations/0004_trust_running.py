"""A grant ends by the machine's own running too, so that a clock set back extends none."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('access', '0003_cache'),
    ]

    operations = [
        migrations.AddField(
            model_name='grant',
            name='boot',
            field=models.CharField(blank=True, default='', max_length=36),
        ),
        migrations.AddField(
            model_name='grant',
            name='boot_ends',
            field=models.FloatField(null=True),
        ),
    ]
