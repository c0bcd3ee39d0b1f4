"""What the public log's tables allow: entries and places are added only, a shut gate lets no entry about a person in, and nothing is erased unsaid.

Runs after privacy's 0002, which gives the role of the web process everything that exists: here most of it is taken back.
"""

from django.db import migrations

FORWARD = """
-- hashes do not compress: trying costs time at every append
ALTER TABLE trace_tile ALTER COLUMN hashes SET STORAGE EXTERNAL;
ALTER TABLE trace_jobpart ALTER COLUMN persons SET STORAGE EXTERNAL;
ALTER TABLE trace_place ADD CONSTRAINT trace_place_commits CHECK (length(commitment) = 32);
-- the queue is emptied every second: its dead rows must go as fast
ALTER TABLE trace_pending SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

CREATE FUNCTION trace_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the trace is append-only' USING ERRCODE = 'insufficient_privilege';
END $$;

-- an entry and its nonce may go, but only after an erasure was written down
CREATE FUNCTION trace_goes_only_when_told() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'trace_entry' THEN
        IF EXISTS (SELECT FROM trace_erasure WHERE entry_id = OLD.id) THEN
            RETURN OLD;
        END IF;
    ELSIF EXISTS (SELECT FROM trace_erasure WHERE seq = OLD.seq) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'the trace is append-only' USING ERRCODE = 'insufficient_privilege';
END $$;
"""
for _table in ("entry", "place", "nonce", "seal", "erasure", "jobperson", "jobpart", "gap"):
    _may_go = _table in ("entry", "nonce")
    _changes = "UPDATE" if _may_go else "DELETE" if _table == "seal" else "UPDATE OR DELETE"
    FORWARD += f"""
CREATE TRIGGER trace_{_table}_stays BEFORE {_changes} ON trace_{_table} FOR EACH ROW EXECUTE FUNCTION trace_stays();
CREATE TRIGGER trace_{_table}_is_never_emptied BEFORE TRUNCATE ON trace_{_table} FOR EACH STATEMENT EXECUTE FUNCTION trace_stays();
"""
    if _may_go:
        FORWARD += f"""
CREATE TRIGGER trace_{_table}_goes_only_when_told BEFORE DELETE ON trace_{_table}
    FOR EACH ROW EXECUTE FUNCTION trace_goes_only_when_told();
"""
FORWARD += """
-- of a seal only the opening is written later, once
CREATE FUNCTION trace_seal_opens_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.opened_at IS NULL AND NEW.opened_at IS NOT NULL
       AND (NEW.entry_id, NEW.number, NEW.basis, NEW.approver, NEW.opens_on) = (OLD.entry_id, OLD.number, OLD.basis, OLD.approver, OLD.opens_on)
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the trace is append-only' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER trace_seal_opens_once BEFORE UPDATE ON trace_seal FOR EACH ROW EXECUTE FUNCTION trace_seal_opens_once();

-- numbers without holes, given in the order of commits: a seal that vanished would leave one
CREATE FUNCTION trace_number_seal() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(1413566547);
    SELECT coalesce(max(number), 0) + 1 INTO NEW.number FROM trace_seal;
    RETURN NEW;
END $$;
CREATE TRIGGER trace_number_seal BEFORE INSERT ON trace_seal FOR EACH ROW EXECUTE FUNCTION trace_number_seal();

-- every entry waits for its place, whoever wrote it
CREATE FUNCTION trace_entries_wait() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO trace_pending (entry_id) SELECT id FROM fresh;
    RETURN NULL;
END $$;
CREATE TRIGGER trace_entries_wait AFTER INSERT ON trace_entry REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION trace_entries_wait();
INSERT INTO trace_pending (entry_id) SELECT id FROM trace_entry;

-- this very database as it runs now: a restore or a restart makes it another
CREATE FUNCTION trace_incarnation() RETURNS text LANGUAGE sql STABLE AS $$
    SELECT concat_ws('/', (SELECT oid FROM pg_database WHERE datname = current_database()),
        'public.trace_entry'::regclass::oid, 'public.trace_place'::regclass::oid, extract(epoch FROM pg_postmaster_start_time()))
$$;
CREATE FUNCTION trace_refuse_when_shut() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM trace_gate WHERE reason <> '' OR bound_to NOT IN ('', trace_incarnation())) THEN
        RAISE EXCEPTION 'the log was not shown to go on from its last checkpoint' USING ERRCODE = 'WJ001';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER trace_refuse_when_shut BEFORE INSERT ON trace_entry
    FOR EACH ROW WHEN (NEW.subject IS NOT NULL) EXECUTE FUNCTION trace_refuse_when_shut();
INSERT INTO trace_gate (id) VALUES (1);

-- the one way to erase: writes who did it and why, then takes text and nonce away
CREATE FUNCTION trace_erase(wanted bigint[], who text, purpose text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    told bigint;
    gone integer;
BEGIN
    INSERT INTO trace_entry (kind, actor, purpose, detail)
        SELECT 'trace.erase', who, trace_erase.purpose, jsonb_build_object('seqs', jsonb_agg(p.seq ORDER BY p.seq))
        FROM trace_place p WHERE p.entry_id = ANY(wanted) AND NOT EXISTS (SELECT FROM trace_erasure e WHERE e.entry_id = p.entry_id)
        HAVING count(*) > 0
        RETURNING id INTO told;
    IF told IS NULL THEN
        RETURN 0;
    END IF;
    INSERT INTO trace_erasure (entry_id, seq, told_by)
        SELECT p.entry_id, p.seq, told FROM trace_place p
        WHERE p.entry_id = ANY(wanted) AND NOT EXISTS (SELECT FROM trace_erasure e WHERE e.entry_id = p.entry_id);
    GET DIAGNOSTICS gone = ROW_COUNT;
    DELETE FROM trace_nonce n USING trace_erasure e WHERE e.seq = n.seq AND e.told_by = told;
    DELETE FROM trace_entry t USING trace_erasure e WHERE e.entry_id = t.id AND e.told_by = told;
    RETURN gone;
END $$;
REVOKE ALL ON FUNCTION trace_erase(bigint[], text, text) FROM PUBLIC;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'wanjia_web') THEN
        REVOKE ALL ON trace_entry, trace_pending, trace_place, trace_nonce, trace_tile, trace_checkpoint, trace_jobperson, trace_jobpart,
            trace_seal, trace_erasure, trace_gate, trace_gap FROM wanjia_web;
        GRANT SELECT ON trace_entry, trace_pending, trace_place, trace_nonce, trace_tile, trace_checkpoint, trace_jobperson, trace_jobpart,
            trace_seal, trace_erasure, trace_gate, trace_gap TO wanjia_web;
        GRANT INSERT ON trace_entry, trace_jobperson, trace_jobpart, trace_seal TO wanjia_web;
        GRANT UPDATE (opened_at) ON trace_seal TO wanjia_web;
    END IF;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("trace", "0004_public_log"), ("privacy", "0002_one_way_in")]
    operations = [migrations.RunSQL(FORWARD, migrations.RunSQL.noop)]
