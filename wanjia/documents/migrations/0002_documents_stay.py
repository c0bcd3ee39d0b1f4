"""A document changes in its state, its end and its sealed content only; what was done with it and the layouts are append-only."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION documents_document_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'UPDATE' THEN
        RAISE EXCEPTION 'documents are not deleted' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF (to_jsonb(NEW) - '{state,asked_by,ended_at,ended_by,reason,blob}'::text[])
        IS DISTINCT FROM (to_jsonb(OLD) - '{state,asked_by,ended_at,ended_by,reason,blob}'::text[]) THEN
        RAISE EXCEPTION 'an issued document does not change' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF OLD.state IN ('revoked', 'superseded') AND NEW.state <> OLD.state THEN
        RAISE EXCEPTION 'a document that counts no more stays so' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER documents_document_stays BEFORE UPDATE OR DELETE ON documents_document FOR EACH ROW EXECUTE FUNCTION documents_document_stays();
CREATE FUNCTION documents_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER documents_step_stays BEFORE UPDATE OR DELETE ON documents_step FOR EACH ROW EXECUTE FUNCTION documents_append_only();
CREATE TRIGGER documents_layout_stays BEFORE UPDATE OR DELETE ON documents_layout FOR EACH ROW EXECUTE FUNCTION documents_append_only();
CREATE TRIGGER documents_subject_stays BEFORE UPDATE OR DELETE ON documents_documentsubject
    FOR EACH ROW EXECUTE FUNCTION documents_append_only();
"""

BACKWARD = """
DROP TRIGGER documents_subject_stays ON documents_documentsubject;
DROP TRIGGER documents_layout_stays ON documents_layout;
DROP TRIGGER documents_step_stays ON documents_step;
DROP FUNCTION documents_append_only();
DROP TRIGGER documents_document_stays ON documents_document;
DROP FUNCTION documents_document_stays();
"""


class Migration(migrations.Migration):
    dependencies = [("documents", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
