"""Erasing: all that the vault and the search index hold of one person."""

import hashlib

from django.db import connection, transaction

from wanjia.trace import api as trace


@transaction.atomic
def erase_person(person_id: int, *, by: str, why: str) -> dict[str, int | str]:
    """Delete every version of the person's sealed dossier, nonces with them, and the rows they were found by. Traced, to the person too.

    Returns {versions, search_rows, sealed_digest}: the SHA-256 over the sealed blobs as they lay there, by which somebody who holds a copy can
    tell what was destroyed, and nobody can tell what it said.
    """
    said = hashlib.sha256()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT blob FROM privacy_vaultentry WHERE person_id = %s ORDER BY version FOR UPDATE", [person_id]
        )
        for (blob,) in cursor.fetchall():
            said.update(hashlib.sha256(blob).digest())
        cursor.execute("DELETE FROM privacy_vaultentry WHERE person_id = %s", [person_id])
        versions = cursor.rowcount
        cursor.execute("DELETE FROM privacy_blindindex WHERE person_id = %s", [person_id])
        rows = cursor.rowcount
        cursor.execute("SELECT blob FROM privacy_amendment WHERE person_id = %s ORDER BY id FOR UPDATE", [person_id])
        for (blob,) in cursor.fetchall():
            said.update(hashlib.sha256(blob).digest())
        cursor.execute("DELETE FROM privacy_amendment WHERE person_id = %s", [person_id])
        versions += cursor.rowcount
        cursor.execute("DELETE FROM privacy_amendmentblind WHERE person_id = %s", [person_id])
        rows += cursor.rowcount
    detail = {"versions": versions, "search_rows": rows}
    trace.record("privacy.erase_person", subject_ids=[person_id], by=by, why=why, detail=detail)
    return {**detail, "sealed_digest": said.hexdigest()}
