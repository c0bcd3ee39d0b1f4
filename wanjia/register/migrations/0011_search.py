"""The index on whose state a row is holds what a list of hits shows of them, so that a search reads no page of the table."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("register", "0010_merging")]

    operations = [
        migrations.RemoveIndex(model_name="personstate", name="register_state_of"),
        migrations.AddIndex(
            model_name="personstate",
            index=models.Index(
                fields=["person_id"], include=("birth_on", "died_on", "sex", "known"), name="register_state_of"
            ),
        ),
    ]
