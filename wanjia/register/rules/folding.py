"""The state of a person is the fold of acts over a basis (pure).

Facts of one person, in values that JSON holds (days are "YYYY-MM-DD", None is "always was" or "still is", both half-open):

    {"state": {column: value, "from": day, "to": day} or None,
     "membership": [{"kind", "household_id", "is_head", "relation", "from", "to"}],
     "residence":  [{"kind", "division", "division_now", "from", "to"}],
     "relation":   [{"kind", "other_id", "from", "to"}]}

An act is what one registered event does to one person. Acts are kept for good and are applied in the order of their events, so a verb here may be
joined by others but must never be lost.
"""

import copy
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Facts = dict[str, Any]
Act = Mapping[str, Any]

PIECES = ("membership", "residence", "relation")
STATE_COLUMNS = ("sex", "birth_on", "died_on", "registration_state", "marital_status", "marital_since")


def nothing() -> Facts:
    """The facts of somebody of whom nothing is known."""
    return {"state": None, **{fact: [] for fact in PIECES}}


def fold(basis: Facts, acts: Iterable[Act], *, absorbed: Mapping[int, int] | None = None) -> Facts:
    """The facts that follow from `basis` and the acts in their order. `absorbed`: id of the sources → the person an event had founded before."""
    facts = copy.deepcopy(basis)
    for act in acts:
        _ACTS[act["do"]](facts, act)
    if absorbed:
        _redirect(facts, absorbed)
    return facts


def is_nobody(facts: Facts) -> bool:
    """Whether nothing is held of the person: merged away, or never there."""
    return facts["state"] is None and not any(facts[fact] for fact in PIECES)


def open_piece(facts: Facts, fact: str, kind: str) -> dict[str, Any] | None:
    """The piece of that kind that still holds, or None."""
    return next((p for p in facts[fact] if p["kind"] == kind and p["to"] is None), None)


def piece_on(facts: Facts, fact: str, kind: str, day: str) -> dict[str, Any] | None:
    """The piece of that kind that held on the day, or None."""
    return next((p for p in facts[fact] if p["kind"] == kind and holds_on(p, day)), None)


def holds_on(piece: Mapping[str, Any], day: str) -> bool:
    """Whether a piece held on the day."""
    return (piece["from"] is None or piece["from"] <= day) and (piece["to"] is None or day < piece["to"])


def _found(facts: Facts, act: Act) -> None:
    facts["state"] = {**dict.fromkeys(STATE_COLUMNS), **act["set"], "from": act["set"].get("birth_on"), "to": None}


def _state(facts: Facts, act: Act) -> None:
    if facts["state"] is None:
        facts["state"] = {**dict.fromkeys(STATE_COLUMNS), "from": None, "to": None}
    facts["state"].update(act["set"])


def _begin(facts: Facts, act: Act) -> None:
    _end(facts, act)
    facts[act["fact"]].append({"kind": act["kind"], **act["values"], "from": act["from"], "to": None})


def _end(facts: Facts, act: Act) -> None:
    facts[act["fact"]] = _cut(facts[act["fact"]], act["kind"], act["from"])


def _restate(facts: Facts, act: Act) -> None:
    """The piece that holds (or did last) was entered wrong: other values, the same time."""
    pieces = [p for p in facts[act["fact"]] if p["kind"] == act["kind"]]
    if pieces:
        max(pieces, key=lambda p: (p["to"] is None, p["to"] or "", p["from"] or "")).update(act["set"])


def _leave(facts: Facts, act: Act) -> None:
    """Dead, or no longer registered: nothing holds of the person from that day."""
    day = act["on"]
    if act["died"]:
        _state(facts, {"set": {"died_on": day}})
        begun = facts["state"]["from"]
        facts["state"]["to"] = day
        if begun is not None and begun >= day:
            # of somebody who died on the day of birth a range would be empty; the state stands without its beginning
            facts["state"]["from"] = None
    for fact in ("membership", "residence"):
        facts[fact] = _cut(facts[fact], None, day)
    if act["died"]:
        facts["relation"] = _cut(facts["relation"], "spouse", day)


def _return(facts: Facts, act: Act) -> None:
    """Somebody taken for dead or gone is here again."""
    _state(facts, {"set": {"died_on": None}})
    facts["state"]["to"] = None


def _born(facts: Facts, act: Act) -> None:
    """The day of birth was entered wrong: what was said to hold since birth holds since the right day."""
    before = (facts["state"] or {}).get("birth_on")
    _state(facts, {"set": {"birth_on": act["on"]}})
    for piece in (facts["state"], *(p for fact in PIECES for p in facts[fact])):
        if piece["from"] is not None and piece["from"] == before and (piece["to"] is None or act["on"] < piece["to"]):
            piece["from"] = act["on"]


def _touch(facts: Facts, act: Act) -> None:
    """Nothing of this person's own changes, but somebody they are related to turned out to be another."""


def _absorb(facts: Facts, act: Act) -> None:
    """The person turned out to be another, who is `into`: nothing is held of this one any more."""
    facts.update(nothing())


def _take(facts: Facts, act: Act) -> None:
    """A piece that was held of the other one of two who are one: kept where nothing of its kind held then; one that still holds, from then on."""
    taken, same = dict(act["piece"]), [p for p in facts[act["fact"]] if p["kind"] == act["piece"]["kind"]]
    if taken["to"] is None and all(p["to"] is not None for p in same):
        taken["from"] = max([p["to"] for p in same] + ([taken["from"]] if taken["from"] else []), default=None)
    elif any(_overlap(taken, p) for p in same):
        return
    facts[act["fact"]].append(taken)


def _drop(facts: Facts, act: Act) -> None:
    """The piece of that kind that still holds never did."""
    facts[act["fact"]] = [p for p in facts[act["fact"]] if p["kind"] != act["kind"] or p["to"] is not None]


def _rename(facts: Facts, act: Act) -> None:
    """Whom this person is related to turned out to be another."""
    for piece in facts["relation"]:
        if piece["other_id"] == act["other_id"]:
            piece["other_id"] = act["into"]


def _overlap(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(a["from"] is None or b["to"] is None or a["from"] < b["to"] for a, b in ((one, other), (other, one)))


def _cut(pieces: list[dict[str, Any]], kind: str | None, day: str) -> list[dict[str, Any]]:
    kept = []
    for piece in pieces:
        if kind is not None and piece["kind"] != kind:
            kept.append(piece)
        elif piece["from"] is None or piece["from"] < day:
            kept.append({**piece, "to": day if piece["to"] is None else min(piece["to"], day)})
    return kept


def _redirect(facts: Facts, absorbed: Mapping[int, int]) -> None:
    for piece in facts["relation"]:
        while piece["other_id"] in absorbed:
            piece["other_id"] = absorbed[piece["other_id"]]


_ACTS: dict[str, Callable[[Facts, Act], None]] = {
    "found": _found,
    "state": _state,
    "begin": _begin,
    "end": _end,
    "restate": _restate,
    "leave": _leave,
    "return": _return,
    "born": _born,
    "touch": _touch,
    "absorb": _absorb,
    "take": _take,
    "drop": _drop,
    "rename": _rename,
}
