"""What follows from the winning values: a person's state, residences, household membership."""

from collections.abc import Mapping, Sequence

import ibis
import pyarrow as pa
from ibis.expr.types import Table, Value

from wanjia.kernel.engine import Engine
from wanjia.register import rules
from wanjia.register.bulk.statements import Part, Statements
from wanjia.register.bulk.survivors import Ranks, Winners
from wanjia.register.bulk.words import column_or_null, day_before, day_of, number_of_hex
from wanjia.register.rules import ElementRule

STATES = "register_states"
RESIDENCES = "register_residences"
MEMBERSHIPS = "register_memberships"
RESIDENCE_COLUMNS = {
    "person_id": "int64",
    "kind": "string",
    "division": "string",
    "division_now": "string",
    "valid_from": "date",
    "valid_to": "date",
}
MEMBERSHIP_COLUMNS = {
    "person_id": "int64",
    "household_id": "int64",
    "relation": "string",
    "is_head": "boolean",
    "claims_head": "boolean",
    "kind": "string",
    "source": "string",
    "valid_from": "date",
    "valid_to": "date",
}


_STATE = ("sex", "birth_on", "died_at", "cremated_on", "cancellation_kind", "cancelled_on", "registration_state", "marital_status",
          "marital_status__as_of", "marriage_event_on", "citizen_number", "citizen_number__state")  # fmt: skip
_HOUSEHOLD = ("household_number", "household_number__won", "household_number__as_of", "household__source", "household__relation_to_head",
              "household__registration_office", "moved_in_on")  # fmt: skip


def states(engine: Engine, winners: Winners) -> Table:
    """Saves and returns one row for each person: sex, birth, death, registration state, marriage; valid from birth to death."""
    resolved = winners.pick(*_STATE)
    died = _died_on(resolved)
    born = day_of(resolved, "birth_on")
    rows = resolved.select(
        "person_id",
        sex=column_or_null(resolved, "sex", "string"),
        birth_on=born,
        died_on=died,
        registration_state=column_or_null(resolved, "registration_state", "string"),
        marital_status=column_or_null(resolved, "marital_status", "string"),
        marital_since=_marital_since(resolved),
        ended_on=ibis.least(died, _cancelled_on(resolved)),
        # a death before the birth is a finding; until it is answered the state stands without its beginning
        valid_from=(born < ibis.coalesce(died, ibis.date(9999, 12, 31))).ifelse(born, ibis.null("date")),
        valid_to=died,
        number=_sound_number(resolved),
    )
    return engine.save(STATES, rows)


def residences(
    engine: Engine,
    statements: Statements,
    winners: Winners,
    state: Table,
    element_rules: Sequence[ElementRule],
    ranks: Ranks,
) -> Table:
    """Saves and returns where each person was registered and lived, piece by piece in time.

    Pieces come from the statements that are as authoritative as the winning one, so that an old address in a lesser source is no move.
    """
    kinds = {"domicile_division": "domicile", "residence_division": "residence"}
    pieces = [
        _pieces(statements, winners, state, kinds[rule.key], rule, ranks) for rule in element_rules if rule.key in kinds
    ]
    if not pieces:
        return engine.load(RESIDENCES, nothing(RESIDENCE_COLUMNS))
    return engine.save(RESIDENCES, ibis.union(*pieces) if len(pieces) > 1 else pieces[0])


def memberships(engine: Engine, winners: Winners, state: Table, mates: Table | None = None) -> Table:
    """Saves and returns who belongs to which registered household, and who is its head.

    Of several who say they are head, the one stated last is (the lowest id on a tie); the others stay as members, and the check `two_heads`
    asks the source.
    """
    if "household_number" not in winners.columns:
        return engine.load(MEMBERSHIPS, nothing(MEMBERSHIP_COLUMNS))
    resolved = winners.pick(*_HOUSEHOLD)
    rows = resolved.filter(resolved.household_number.notnull()).inner_join(
        state.select("person_id", "birth_on", "ended_on"), "person_id"
    )
    office = column_or_null(rows, "household__registration_office", "string")
    relation = column_or_null(rows, "household__relation_to_head", "string")
    as_of = column_or_null(rows, "household_number__as_of", "date")
    since = ibis.coalesce(day_of(rows, "moved_in_on"), rows.birth_on, as_of)
    rows = rows.select(
        "person_id",
        household_id=household_id(engine, ibis.coalesce(office, ibis.literal("")), rows.household_number),
        relation=relation,
        claims_head=ibis.coalesce(relation.isin(rules.HEAD_RELATIONS), ibis.literal(False)),
        won=rows.household_number__won // rules.ORDINAL_SPAN,
        source="household__source",
        ended_on=rows.ended_on,
        since=since,
    )
    living_first = ibis.window(
        group_by="household_id",
        order_by=[rows.claims_head.desc(), rows.ended_on.notnull(), rows.won.desc(), rows.person_id],
    )
    rows = rows.mutate(place=ibis.row_number().over(living_first))
    rows = rows.mutate(is_head=rows.claims_head & (rows.place == 0))
    if mates is not None:
        # fast lane: a head outside the frame stays head until the next whole run weighs all claims
        headed = mates.filter(mates.is_head & mates.is_present).select(headed="household_id").distinct()
        rows = rows.left_join(headed, rows.household_id == headed.headed)
        rows = rows.mutate(is_head=rows.is_head & rows.headed.isnull())
    return engine.save(
        MEMBERSHIPS,
        rows.select(
            "person_id",
            "household_id",
            "relation",
            "is_head",
            "claims_head",
            "source",
            kind=ibis.literal("domicile"),
            valid_from=_before(rows.since, rows.ended_on),
            valid_to=rows.ended_on,
        ),
    )


def household_id(engine: Engine, office: Value, number: Value) -> Value:
    """The household's id: the first 60 bits of SHA-256 over "office|number" (a household number is unique within its office)."""
    digits = (office + ibis.literal("|") + number).hexdigest("sha256").left(15)
    return number_of_hex(engine, digits)


def _pieces(
    statements: Statements, winners: Winners, state: Table, kind: str, rule: ElementRule, ranks: Ranks
) -> Table:
    """The person's places of one kind in order of time: each holds from its beginning to that of the next."""
    element = rule.key

    def placed(part: Part) -> Table:
        rows = part.frame
        now_column = f"{element}__current" if part.has(f"{element}__current") else element
        moved_in_on = day_of(rows, "moved_in_on") if kind == "domicile" else ibis.null("date")
        stated = rows.select(
            "person_id",
            division=rows[element],
            division_now=ibis.coalesce(rows[now_column], rows[element]),
            began=ibis.coalesce(moved_in_on, rows.as_of, ibis.date(1900, 1, 1)),
            has_moved_in=moved_in_on.notnull(),
            key=ranks.preference(part, rule),
        )
        return stated.filter(stated.division.notnull())

    stated = statements.union(placed, lambda part: part.has(element))
    left = ("moved_out_on",) if kind == "domicile" else ("residence_registration", "residence_registration__as_of")
    resolved = winners.pick(element, f"{element}__won", f"{element}__said", *left)
    winner = resolved.filter(resolved[element].notnull()).select(
        owner="person_id",
        won=resolved[f"{element}__won"],
        said=resolved[f"{element}__said"],
        moved_out_on=day_of(resolved, "moved_out_on") if kind == "domicile" else _left_residence_on(resolved),
    )
    stated = stated.inner_join(winner, stated.person_id == winner.owner)
    # of most people one place was ever stated: they need no putting in order
    first = {"until": ibis.null("date"), "nth": ibis.literal(0, "int64")}
    only = stated.filter(stated.said == 1).select(*_PLACED, **first)
    changes = only.union(_changes(stated.filter(stated.said > 1)).select(*_PLACED, "until", "nth"))
    life = state.select(about="person_id", birth_on="birth_on", ended_on="ended_on")
    changes = changes.left_join(life, changes.person_id == life.about)
    # a registered place without a move-in has been so since birth (久居); a lived-in place only since somebody said so
    always = ibis.literal(kind == "domicile") & (changes.nth == 0) & ~changes.has_moved_in
    began = always.ifelse(ibis.least(changes.birth_on, changes.began), changes.began)
    ended = ibis.least(changes.ended_on, changes.moved_out_on)
    closes = ibis.least(changes.until, ended)
    pieces = changes.select(
        "person_id",
        "division",
        "division_now",
        kind=ibis.literal(kind),
        began=began,
        is_first=changes.nth == 0,
        valid_from=_before(began, closes),
        valid_to=closes,
    )
    # a piece that would end before it began was never true; but the first stays, for a day, where nothing else says where the person was
    return pieces.filter(pieces.is_first | pieces.valid_to.isnull() | (pieces.began < pieces.valid_to)).select(
        "person_id", "kind", "division", "division_now", "valid_from", "valid_to"
    )


_PLACED = ("person_id", "division", "division_now", "began", "has_moved_in", "moved_out_on")


def _changes(stated: Table) -> Table:
    """The statements from which another place holds, with the day of the next (`until`) and their place in the order (`nth`)."""
    stated = stated.filter(stated.key // rules.RANK_STEP == stated.won // rules.RANK_STEP)
    stated = stated.mutate(is_winner=stated.key == stated.won)
    winner_began = stated.is_winner.ifelse(stated.began, ibis.null("date")).max()
    stated = stated.mutate(
        winner_began=winner_began.over(ibis.window(group_by="person_id")),
        of_day=ibis.row_number().over(ibis.window(group_by=["person_id", "began"], order_by=stated.key.desc())),
    )
    # nothing stands after the winning piece, and of two pieces that begin on one day the preferred one holds
    stated = stated.filter(stated.is_winner | ((stated.began < stated.winner_began) & (stated.of_day == 0)))
    stated = stated.mutate(before=stated.division_now.lag().over(_in_order()))
    changes = stated.filter(stated.before.isnull() | (stated.before != stated.division_now))
    nth = ibis.row_number().over(_in_order()).cast("int64")
    return changes.mutate(until=changes.began.lead().over(_in_order()), nth=nth)


def _left_residence_on(resolved: Table) -> Value:
    """The day on which the source said that the person no longer lives there (state 2, 离开)."""
    if "residence_registration" not in resolved.columns:
        return ibis.null("date")
    return (resolved.residence_registration == "2").ifelse(resolved.residence_registration__as_of, ibis.null("date"))


def _in_order() -> ibis.expr.builders.WindowBuilder:
    return ibis.window(group_by="person_id", order_by=["is_winner", "began", "key"])


def _before(begins: Value, ends: Value) -> Value:
    """The beginning, moved to the day before the end where it would not lie before it (contradictions become findings)."""
    return ibis.coalesce(ibis.least(begins, day_before(ends)), begins)


def _died_on(resolved: Table) -> Value:
    """The day of death: the death certificate's first, then a cancellation for death, then the cremation (never earlier)."""
    cancelled_for_death = ibis.null("date")
    if "cancellation_kind" in resolved.columns:
        cancelled_for_death = (resolved.cancellation_kind == "1").ifelse(_cancelled_on(resolved), ibis.null("date"))
    return ibis.coalesce(day_of(resolved, "died_at"), cancelled_for_death, day_of(resolved, "cremated_on"))


def _cancelled_on(resolved: Table) -> Value:
    """The day the registration was cancelled, for whatever reason."""
    return day_of(resolved, "cancelled_on")


def _marital_since(resolved: Table) -> Value:
    """Since when the marital status holds: the marriage or divorce event, else the day it was stated."""
    if "marital_status" not in resolved.columns:
        return ibis.null("date")
    since = ibis.coalesce(day_of(resolved, "marriage_event_on"), resolved.marital_status__as_of)
    return (resolved.marital_status.notnull() & (resolved.marital_status != "10")).ifelse(since, ibis.null("date"))


def _sound_number(resolved: Table) -> Value:
    """The person's identity number if it is sound: the only one by which relatives are found."""
    if "citizen_number" not in resolved.columns:
        return ibis.null("string")
    if "citizen_number__state" not in resolved.columns:
        return resolved.citizen_number
    return resolved.citizen_number__state.isin(["sound", "sound15"]).ifelse(
        resolved.citizen_number, ibis.null("string")
    )


def nothing(columns: Mapping[str, str]) -> pa.Table:
    """A table without rows: what a stage yields where the sources have nothing of the kind."""
    kinds = {"int64": pa.int64(), "string": pa.string(), "date": pa.date32(), "boolean": pa.bool_()}
    return pa.table({name: pa.array([], kinds[kind]) for name, kind in columns.items()})
