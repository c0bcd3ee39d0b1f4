"""A nonce may be sealed again under a newer data key, so that an old key can be destroyed; anything else of it stays.

A sealed value is suite (1 byte), key id (4), nonce, ciphertext: the key id may only grow. Whether the same nonce is inside is shown by every proof
that is checked afterwards; who overwrites it with another one destroys it, and the log says so.
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION trace_nonce_is_sealed_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.seq = OLD.seq AND length(NEW.sealed) = length(OLD.sealed)
       AND substring(NEW.sealed from 2 for 4) > substring(OLD.sealed from 2 for 4) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the trace is append-only' USING ERRCODE = 'insufficient_privilege';
END $$;
DROP TRIGGER trace_nonce_stays ON trace_nonce;
CREATE TRIGGER trace_nonce_stays BEFORE UPDATE ON trace_nonce FOR EACH ROW EXECUTE FUNCTION trace_nonce_is_sealed_again();
"""

BACKWARD = """
DROP TRIGGER trace_nonce_stays ON trace_nonce;
CREATE TRIGGER trace_nonce_stays BEFORE UPDATE ON trace_nonce FOR EACH ROW EXECUTE FUNCTION trace_stays();
DROP FUNCTION trace_nonce_is_sealed_again();
"""


class Migration(migrations.Migration):
    dependencies = [("trace", "0005_log_stays")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
