"""How a clerk writes one person down: every field of a row, with the faults of its source drawn and noted."""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from wanjia.city import calendar, chance, dwellings, names, numbers
from wanjia.city.faults import BIT, rates
from wanjia.city.population import GONE, MAINLAND, City


@dataclass
class Export:
    """One source's rows before they are put into its format. Columns are texts; null is an empty cell."""

    source: str
    keys: pa.Array  # the source's own key of every row; null where it is broken
    columns: dict[str, pa.Array]
    person: dict[str, np.ndarray]  # subject role → person; -1 where the row has no such subject
    faults: dict[str, np.ndarray]  # subject role → mask
    repeats: np.ndarray  # rows written twice
    changed_on: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int32))  # as of which day each row was true

    def __len__(self) -> int:
        return len(self.keys)


class Clerk:
    """Writes the persons of `who` down for one source; one call per field, each drawing its own faults."""

    def __init__(self, city: City, source: str, who: np.ndarray, on: np.ndarray, *, role: str = "self") -> None:
        self.city, self.people, self.source = city, city.people, source
        self.who, self.on = who, on
        self.rates = rates(source)
        self.rng = chance.stream(city.seed, "clerk", source, role)
        self.mask = np.zeros(len(who), dtype=np.uint32)
        self.mask[city.renumbered[who] & self._keeps_old_number()] |= BIT["two_numbers"]
        self.mask[city.shared_with[who] >= 0] |= BIT["shared_number"]
        self.mask[self.people.twin[who]] |= BIT["twin"]

    def _keeps_old_number(self) -> bool:
        # the police corrected the number; half of the others were never told
        return self.source in ("social_insurance", "assistance", "marriages", "death_certificates")

    def _hit(self, fault: str, among: np.ndarray | None = None, rate: float | None = None) -> np.ndarray:
        """Rows that get `fault`, noted in the mask."""
        drawn = self.rng.random(len(self.who)) < (self.rates[fault] if rate is None else rate)
        if among is not None:
            drawn &= among
        rows = np.flatnonzero(drawn)
        self.mask[rows] |= BIT[fault]
        return rows

    def note(self, fault: str, rows: np.ndarray) -> None:
        """Marks rows (positions or bool) with a fault that was drawn elsewhere."""
        self.mask[rows] |= BIT[fault]

    def _forget(self, rows: np.ndarray, *but: str, of: str) -> None:
        """Takes back the faults of a field (`of`: how their names begin) in rows where it is empty: an empty cell has no typing error."""
        gone = sum(int(bit) for name, bit in BIT.items() if name.startswith(of) and name not in but)
        self.mask[rows] &= ~np.uint32(gone)

    def number(self, missing: np.ndarray | None = None) -> pa.Array:
        """The identity number. `missing` overrides who has none (bool per row)."""
        written = self.city.numbers[self.who].copy()
        old = np.flatnonzero(self.mask & BIT["two_numbers"])
        written[old] = self.city.old_numbers[self.who[old]]
        of_another = self._hit("number_of_another")
        written[of_another] = self.city.numbers[self._relative(self.who[of_another])]
        for fault, spoil in (
            ("number_transposed", numbers.transpose),
            ("number_digit_off", numbers.miss_digit),
            ("number_check_wrong", numbers.wrong_check),
        ):
            rows = self._hit(fault)
            written[rows] = spoil(written[rows], self.rng)
        elderly = (self.people.birth[self.who] < calendar.day(1990, 1, 1)) & (self.people.kind[self.who] == MAINLAND)
        rows = self._hit("number_first_generation", elderly)
        written[rows] = numbers.first_generation(written[rows])
        if missing is None:
            missing = np.zeros(len(self.who), dtype=bool)
            missing[self._hit("number_missing")] = True
        else:
            self.mask[missing] |= BIT["number_missing"]
        self._forget(missing, "number_missing", of="number_")
        texts = numbers.texts(written, missing)
        spelled = {
            row: _spelled_otherwise(texts[row].as_py(), self.rng)
            for row in self._hit("number_spelling", ~missing).tolist()
        }
        return _with(texts, spelled)

    def _relative(self, who: np.ndarray) -> np.ndarray:
        """The spouse, else the mother, else anybody."""
        spouse, mother = self.people.spouse[who], self.people.mother[who]
        anybody = self.rng.integers(0, len(self.people), len(who))
        return np.where(spouse >= 0, spouse, np.where(mother >= 0, mother, anybody))

    def name(self, *, provisional: bool = False) -> pa.Array:
        """The name. Changes are made one by one: they touch only a few rows in a hundred."""
        city, people = self.city, self.people
        former = city.former_names.take(pa.array(self.who))
        rows_with_former = np.asarray(former.is_valid())
        changed: dict[int, str | None] = {}
        for row in self._hit("name_former", rows_with_former):
            changed[int(row)] = former[int(row)].as_py()
        for fault, change in (
            ("name_homophone", names.as_homophone),
            ("name_look_alike", names.as_look_alike),
            ("name_variant", names.as_variant),
        ):
            for row in self._hit(fault).tolist():
                before = changed.get(row) or city.names[int(self.who[row])].as_py()
                changed[row] = change(before, self.rng)
                if changed[row] == before:
                    self.mask[row] &= ~BIT[fault]
        if provisional:
            mothers = people.mother[self.who]
            rows = self._hit("name_provisional", mothers >= 0)
            self._forget(rows, "name_provisional", of="name_")
            for row in rows.tolist():
                suffix = "之子" if people.sex[self.who[row]] == 1 else "之女"
                changed[row] = f"{city.names[int(mothers[row])].as_py()}{suffix}"
        for row in self._hit("name_spacing").tolist():
            whole = changed.get(row) or city.names[int(self.who[row])].as_py()
            changed[row] = (
                ("　" if len(whole) == 2 else " ").join(whole) if whole.isalpha() and len(whole) < 5 else f" {whole} "
            )
        empty = self._hit("name_missing")
        self._forget(empty, "name_missing", of="name_")
        changed |= dict.fromkeys(empty.tolist())
        return _with(city.names.take(pa.array(self.who)), changed)

    def sex(self, male: str, female: str) -> pa.Array:
        """The sex in the source's own spelling."""
        written = self.people.sex[self.who] == 1
        rows = self._hit("sex_wrong")
        written[rows] = ~written[rows]
        return pa.array([female, male]).take(pa.array(written.astype(np.int8)))

    def birth(self, style: calendar.DateStyle) -> pa.Array:
        """The birth date in the source's own style."""
        days = self.people.birth[self.who].copy()
        year, month, number = calendar.parts(days)
        rows = self._hit("birth_swapped", (number <= 12) & (number != month))
        days[rows] = calendar.from_parts(year[rows], number[rows], month[rows])
        rows = self._hit("birth_day_off")
        shift = np.array([1, -1, 10, -10, 366, -365, 3653, -3652])[self.rng.integers(0, 8, len(rows))]
        days[rows] = np.clip(days[rows] + shift, calendar.FIRST_DAY, self.city.today - 1)
        empty = self._hit("birth_missing")
        self._forget(empty, "birth_missing", of="birth_")
        days[empty] = calendar.NO_DAY
        written = calendar.written(days, style)
        rows = self._hit("birth_month_only", days != calendar.NO_DAY)
        if len(rows):
            year, month, _ = calendar.parts(days[rows])
            months = {int(r): f"{y}年{m}月" for r, y, m in zip(rows, year, month, strict=True)}
            written = _with(written, months)
        return written

    def dwelling(self) -> np.ndarray:
        """Where the department believes the person lives: the home on the day of the row, or the one before it."""
        homes = self.city.dwellings
        household = self.people.household[self.who]
        lives = homes.lived_in(household, self.on)
        moved = homes.before[household] != homes.home[household]
        rows = self._hit("address_stale", moved & (lives == homes.home[household]))
        lives[rows] = homes.before[household[rows]]
        return lives

    def address(self, dwelling: np.ndarray, style: dwellings.AddressStyle) -> pa.Array:
        """A dwelling's address as the source writes it; sub-districts by their names on the day of the row."""
        written = dwellings.addresses(self.city.dwellings, dwelling, style, self.on)
        missing = np.zeros(len(self.who), dtype=bool)
        missing[self._hit("address_missing")] = True
        self._forget(missing, "address_missing", of="address_")
        return pc.if_else(pa.array(missing), pa.scalar(None, pa.string()), written)


_FULL_WIDTH = str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")


def _spelled_otherwise(number: str, rng: np.random.Generator) -> str:
    """The same number in another spelling: blanks inside, full-width digits, or a lower-case x where it has one."""
    if number.endswith("X") and rng.random() < 0.7:
        return number.lower()
    return f"{number[:6]} {number[6:14]} {number[14:]}" if rng.random() < 0.5 else number.translate(_FULL_WIDTH)


def _with(texts: pa.Array, changed: dict[int, str | None]) -> pa.Array:
    """`texts` with some replaced."""
    if not changed:
        return texts
    position = np.arange(len(texts), dtype=np.int64)
    rows = sorted(changed)
    position[rows] = len(texts) + np.arange(len(rows))
    return pa.concat_arrays([texts, pa.array([changed[row] for row in rows], pa.string())]).take(pa.array(position))


def with_duplicates(city: City, source: str, who: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`who` with some persons entered a second time, in random order; and which rows are those second entries."""
    rng = chance.stream(city.seed, "duplicates", source)
    again = who[rng.random(len(who)) < rates(source)["duplicate"]]
    order = rng.permutation(len(who) + len(again))
    return np.r_[who, again][order], (np.arange(len(order)) >= len(who))[order]


def serial_keys(city: City, prefix: str, count: int, width: int = 8) -> pa.Array:
    """The source's own serial numbers of `count` rows; a later wave has a series of its own."""
    return pc.binary_join_element_wise(
        pa.scalar(prefix + city.series), dwellings.padded(np.arange(1, count + 1), width), ""
    )


def choose(table: list[str | None], positions: np.ndarray) -> pa.Array:
    """Texts of a short table by position."""
    return pa.array(table, pa.string()).take(pa.array(positions.astype(np.int32)))


def finish(
    city: City, source: str, key: str, keys: pa.Array, columns: dict[str, pa.Array], clerks: dict[str, Clerk],
    *, birth: str, names_: tuple[str, ...], numbers_: tuple[str, ...],
) -> Export:  # fmt: skip
    """The export with its truly broken rows: at least two of each kind, so that quarantine is never empty."""
    rng, share = chance.stream(city.seed, "broken", source), rates(source)
    count = len(keys)
    kinds = ("broken_key", "broken_nobody", "broken_date")
    wanted = {kind: min(max(2, round(count * share[kind])), count // 8) for kind in kinds}
    chosen = rng.permutation(count)[: sum(wanted.values())]
    by_kind = dict(zip(kinds, np.split(chosen, np.cumsum([wanted[k] for k in kinds])[:-1]), strict=True))
    keys = _with(keys, {int(row): None for row in by_kind["broken_key"]})
    columns = {key: keys, **columns}
    for name in (*names_, *numbers_):
        columns[name] = _with(columns[name], {int(row): None for row in by_kind["broken_nobody"]})
    if birth in columns:
        impossible = ("1987-02-30", "19991345", "2001/13/32", "0000-00-00", "1975年2月31日")
        columns[birth] = _with(
            columns[birth], {int(row): impossible[n % len(impossible)] for n, row in enumerate(by_kind["broken_date"])}
        )
    for clerk in clerks.values():
        clerk.mask[by_kind["broken_nobody"]] |= BIT["broken_nobody"]
        clerk.mask[by_kind["broken_date"]] |= BIT["broken_date"] if birth in columns else np.uint32(0)
    repeats = np.flatnonzero(rng.random(count) < share["repeat"])
    first = next(iter(clerks.values()))
    return Export(
        source,
        keys,
        columns,
        {r: c.who for r, c in clerks.items()},
        {r: c.mask for r, c in clerks.items()},
        repeats,
        first.on,
    )


def staying(city: City, arrived_only: bool = False) -> np.ndarray:
    """Persons who have not left the city and did not die."""
    people = city.people
    return np.flatnonzero(
        (people.state != GONE) & (people.died == calendar.NO_DAY) & (~people.local if arrived_only else True)
    )
