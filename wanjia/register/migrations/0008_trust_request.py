"""A case knows the resident's request that it carries out, from its beginning to its end."""


from django.db import migrations, models

STAYS = """
CREATE TRIGGER register_event_request_stays BEFORE UPDATE ON register_event FOR EACH ROW
    WHEN (OLD.request IS DISTINCT FROM NEW.request) EXECUTE FUNCTION register_stays();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('register', '0007_events_stay'),
    ]

    operations = [
        migrations.AddField(
            model_name='event',
            name='request',
            field=models.BigIntegerField(null=True),
        ),
        migrations.RunSQL(STAYS, "DROP TRIGGER register_event_request_stays ON register_event"),
    ]
