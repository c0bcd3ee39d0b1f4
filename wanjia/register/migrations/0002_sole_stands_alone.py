"""A row marked `sole` may have no other of its subject and kind beside it, now or in the past.

Without this a sole row (kept unique by a plain index) and a row that is not (kept apart by the exclusion constraint) could overlap unseen.
Loads are one at a time (advisory lock), so a trigger is enough.
"""

from django.db import migrations

TABLES = {
    "register_personstate": ("person_id",),
    "register_membership": ("person_id", "kind"),
    "register_residence": ("person_id", "kind"),
    "register_relation": ("person_id", "kind"),
}


def forward() -> str:
    statements = []
    for table, keys in TABLES.items():
        same = " AND ".join(f"other.{key} = NEW.{key}" for key in keys)
        statements.append(f"""
CREATE FUNCTION {table}_sole() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM {table} other WHERE {same} AND other.id <> NEW.id AND (other.sole OR NEW.sole)) THEN
        RAISE EXCEPTION 'a sole row of {table} has another beside it' USING ERRCODE = 'exclusion_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER {table}_sole AFTER INSERT OR UPDATE ON {table}
    DEFERRABLE INITIALLY IMMEDIATE FOR EACH ROW EXECUTE FUNCTION {table}_sole();
""")
    return "".join(statements)


def backward() -> str:
    return "".join(f"DROP TRIGGER {table}_sole ON {table}; DROP FUNCTION {table}_sole();" for table in TABLES)


class Migration(migrations.Migration):
    dependencies = [("register", "0001_initial")]
    operations = [migrations.RunSQL(forward(), backward())]
