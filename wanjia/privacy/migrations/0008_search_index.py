from django.db import migrations, models


class Migration(migrations.Migration):
    """The search index by kind, so that the numbers' part of it is small and near together; and by person, without the hashes."""

    dependencies = [("privacy", "0007_find_by_more")]

    operations = [
        migrations.RemoveIndex("blindindex", "privacy_by_blind"),
        migrations.RunSQL(
            "ALTER TABLE privacy_blindindex DROP CONSTRAINT privacy_blindindex_pkey",
            "ALTER TABLE privacy_blindindex ADD PRIMARY KEY (person_id, kind, blind)",
        ),
        migrations.AddIndex("blindindex", models.Index(fields=["kind", "blind"], name="privacy_by_kind")),
        migrations.AddIndex("blindindex", models.Index(fields=["person_id"], name="privacy_blind_of")),
    ]
