"""An entry of the trace in plain words, for the person it is about. Pure: everything is handed in."""

from collections.abc import Mapping
from datetime import UTC
from typing import Any

from django.utils.translation import gettext as _

from wanjia.access.api import book
from wanjia.web.labels import OWNERS, READ_KINDS, spoken, word


def told(row: Mapping[str, Any], *, own: str) -> dict[str, Any]:
    """One look for the page: who (a department, never a name), what, for what, which fields, on which ground; `check`: what its receipt must say.

    A case number stays out: it belongs to whoever's case it is.
    """
    code = row["purpose"].partition(":")[0]
    purpose = book().purposes.get(code)
    return {
        "id": row["id"],
        "at": row["at"],
        "who": _who(row, own),
        "what": word(READ_KINDS, row["kind"]),
        "purpose": spoken(purpose.name) if purpose else _("the register's own work"),
        "groups": groups_of(row["fields"]),
        "law": purpose.law if purpose else "",
        "policies": [one.partition("@")[0] for one in row["basis"].split("; ") if one],
        "is_job": row["is_job"],
        "seq": row["seq"],
        "check": {
            "place": row["seq"],
            "kind": row["kind"],
            "at": row["at"].astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "department": row["department"],
            "purpose": code,
        },
    }


def groups_of(fields: list[str]) -> list[str]:
    """The field groups that elements (keys) belong to, by their names."""
    wanted = set(fields)
    return [spoken(group.name) for group in book().fields.values() if wanted & set(group.elements)]


def _who(row: Mapping[str, Any], own: str) -> str:
    if row["actor"] == own:
        return _("Yourself")
    if row["department"]:
        return word(OWNERS, row["department"])
    return _("The register itself, many persons at once") if row["is_job"] else _("The register's office")
