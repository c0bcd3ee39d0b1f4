"""Plans and series as JSON tells them: to the command line, to pages, to machines."""

from typing import Any

from wanjia.privacy.api import ProtectedCount
from wanjia.register.api.redrawing import Plan
from wanjia.register.api.series import RestatedDay, Series
from wanjia.standards.api import Division, UsedShare


def plan_told(plan: Plan) -> dict[str, Any]:
    """A plan; a count that is held back is null."""
    return {
        "schema": 1,
        "change": plan.change.code,
        "kind": plan.change.kind,
        "on": plan.change.on.isoformat(),
        "law": {"zh": plan.change.law.zh, "en": plan.change.law.en},
        "moves": [
            {
                "old": move.old.code, "old_name": _name(move.old), "new": move.new.code, "new_name": _name(move.new), "share": move.share,
                "people": move.people.people,
            }
            for move in plan.moves
        ],
        "following": plan.following.people,
        "households": plan.households.people,
        "apart": plan.apart.people,
        "cases": {str(case): office for case, office in plan.cases.items()},
        "accounts": plan.accounts,
        "left": plan.left,
    }  # fmt: skip


def series_told(series: Series) -> dict[str, Any]:
    """A series; a count that is held back is null, `by_share` says that only shares tell a part of it."""
    return {
        "schema": 1,
        "within": series.here.code if series.here else None,
        "divisions_on": series.divisions_on.isoformat(),
        "basis": series.basis,
        "areas": [{"code": one.code, "name": _name(one)} for one in series.areas],
        "days": [_day_told(day) for day in series.days],
    }


def _day_told(day: RestatedDay) -> dict[str, Any]:
    return {
        "as_of": day.as_of.isoformat(),
        "total": _count(day.total),
        "areas": {code: {"people": _count(one.count), "by_share": one.is_estimate} for code, one in day.areas.items()},
        "not_told_apart": _count(day.apart),
        "shares": [_share(one) for one in day.used],
    }


def _share(one: UsedShare) -> dict[str, Any]:
    return {
        "old": one.old,
        "new": one.new,
        "on": one.on.isoformat(),
        "share": float(one.share),
        "backward": one.is_back,
    }


def _count(count: ProtectedCount) -> int | None:
    return count.people


def _name(division: Division) -> dict[str, str]:
    return {"zh": division.name_zh, "en": division.name_en}
