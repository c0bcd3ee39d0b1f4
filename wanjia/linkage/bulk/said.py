"""What linking reads of an assertion: who says it, when, and each feature, in the words both engines share."""

from wanjia.linkage.bulk import kinds
from wanjia.linkage.declared import Linkage, SourceTrust

#: what linking reads of every assertion, besides name and birth; all it says is read of few: of the first under a number, mostly
HEAD = ["assertion_id", "arrival", "ord", "uniq", "num", "filled"]
ROW_BITS = 2**41


def feature_columns(linkage: Linkage) -> list[str]:
    """All feature columns of a node, in order."""
    found: list[str] = []
    for feature in linkage.features:
        found += kinds.assertion_columns(feature, set())
    return found


def assertions_sql(linkage: Linkage, trust: list[SourceTrust], available: set[str], table: str) -> str:
    """The part of every assertion that linking reads, from `table` with the columns `available`.

    `filled`: which wholes (see `whole_of`) the record fills, a bit each in the order of `wholes`.
    """
    ranked = sorted(trust, key=lambda s: (not s.is_baseline, -s.reliability, s.code))
    rank = " ".join(f"WHEN source = '{s.code}' THEN {i}" for i, s in enumerate(ranked))
    uniq = " ".join(f"WHEN source = '{code}' THEN {1 << i}" for i, code in enumerate(linkage.one_record_per_person))
    arrival = "coalesce(first_delivery_id, delivery_id)" if "first_delivery_id" in available else "delivery_id"
    columns = [
        "assertion_id",
        "source",
        "record_key",
        "subject",
        f"CAST({arrival} AS BIGINT) * 2 + CASE WHEN {_is_baseline(trust)} THEN 0 ELSE 1 END AS arrival",
        # best source first, then newest, then the row itself: one number, so that picking a value is one comparison
        f"(CAST(CASE {rank} ELSE {len(ranked)} END AS BIGINT) * 65536"
        " + CASE WHEN as_of IS NULL THEN 65535"
        " ELSE greatest(0, 65534 - (year(as_of) - 1900) * 384 - month(as_of) * 32 - day(as_of)) END)"
        f" * {ROW_BITS} + assertion_id % {ROW_BITS} AS ord",
        f"CAST({f'CASE {uniq} ELSE 0 END' if uniq else '0'} AS BIGINT) AS uniq",
        f"{_sound_number(linkage, available)} AS num",
    ]
    told = {n: sql for f in linkage.features for n, sql in kinds.assertion_columns(f, available).items()}
    bits = bits_of(list(told))
    filled = " + ".join(f"CASE WHEN {told[whole]} IS NOT NULL THEN {bit} ELSE 0 END" for whole, bit in bits.items())
    columns += [f"{filled} AS filled", *(f"{sql} AS {name}" for name, sql in told.items())]
    return f"SELECT {', '.join(columns)} FROM {table}"


def heads_sql(linkage: Linkage, said: str) -> str:
    """SQL of the assertions `said` with what is read of every one of them; see `HEAD`."""
    named = [kinds.column(k) for k in (linkage.name, linkage.birth) if k is not None]
    return f"SELECT {', '.join([*HEAD, *named])} FROM {said}"


def told_by(said: str, some: str, *beside: str) -> str:
    """SQL of what the assertions in table `some` (assertion_id) say, of all in table `said`, and of the columns `beside` of `some`."""
    columns = "".join(f", i.{column}" for column in beside)
    return f"(SELECT t.*{columns} FROM {said} t JOIN {some} i ON i.assertion_id = t.assertion_id)"


def bits_of(features: list[str]) -> dict[str, int]:
    """Whole → its bit in `filled`."""
    return {whole: 1 << place for place, whole in enumerate(dict.fromkeys(whole_of(c) for c in features))}


def whole_of(column: str) -> str:
    """The column whose being filled decides from which record `column` is taken."""
    whole, _, part = column.partition("__")
    return column if part in ("other", "year") else whole


def _is_baseline(trust: list[SourceTrust]) -> str:
    codes = [f"'{s.code}'" for s in trust if s.is_baseline]
    return f"source IN ({', '.join(codes)})" if codes else "1 = 0"


def _sound_number(linkage: Linkage, available: set[str]) -> str:
    number = linkage.number
    if number is None or number.element not in available or f"{number.element}__state" not in available:
        return "CAST(NULL AS STRING)"
    states = ", ".join(f"'{s}'" for s in number.sound)
    return f"CASE WHEN {number.element}__state IN ({states}) THEN CAST({number.element} AS STRING) END"
