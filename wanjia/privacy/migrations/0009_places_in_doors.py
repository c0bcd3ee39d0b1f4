from django.db import migrations


class Migration(migrations.Migration):
    """A door's blind begins with its place's, and places have no rows of their own. Hashes cannot be turned into others: rows for places say that
    the index is of before, and the next run of the main job makes it anew (`lacks_searchable`), with the doors of amendments, whose key nobody knows.
    """

    dependencies = [("privacy", "0008_search_index")]

    operations = [
        migrations.RunSQL(
            """
            DELETE FROM privacy_amendmentblind WHERE kind = 7;
            UPDATE privacy_amendmentblind SET blind_key = -1 WHERE kind = 6;
            """,
            migrations.RunSQL.noop,
        )
    ]
