"""The cache that all processes of the server share: used one-time codes and counted attempts. Lost at a crash without harm, hence unlogged."""

from django.db import migrations

FORWARD = """
CREATE UNLOGGED TABLE access_cache (cache_key varchar(255) PRIMARY KEY, value text NOT NULL, expires timestamptz NOT NULL);
CREATE INDEX access_cache_expires ON access_cache (expires);
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'wanjia_web') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON access_cache TO wanjia_web;
    END IF;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("access", "0002_roles_grants_notices"), ("privacy", "0002_one_way_in")]
    operations = [migrations.RunSQL(FORWARD, "DROP TABLE access_cache;")]
