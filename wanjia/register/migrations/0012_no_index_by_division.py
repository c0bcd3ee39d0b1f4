from django.db import migrations


class Migration(migrations.Migration):
    """Nothing asks for residences by their division alone: prefixes are compared in another collation than this index was made in."""

    dependencies = [("register", "0011_search")]

    operations = [migrations.RemoveIndex(model_name="residence", name="register_by_division")]
