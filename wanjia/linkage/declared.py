"""What a profile may say about linking: `linkage.toml`, the one place where a country's way of telling people apart is written down."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from wanjia.kernel.declared import Text

Kind = Literal["person_name", "text", "code", "date", "number", "address", "division"]

#: columns a feature of each kind gives to a node; "" is the plain value. The blocking keys may name any of them as feature.part.
PARTS: dict[str, tuple[str, ...]] = {
    "person_name": ("", "pinyin", "surname", "given", "other"),
    "text": ("", "first3"),
    "code": ("",),
    "date": ("", "year", "month_day"),
    "number": ("", "first4"),
    "address": ("", "division", "place", "building", "room", "unit", "door"),
    "division": ("", "county"),
}


@dataclass(frozen=True)
class MasterNumber:
    """The number that names a person wherever it is sound; a profile without one leaves this out."""

    element: str
    sound: list[str]
    birth_at: int | None = None  # first of the eight digits YYYYMMDD inside the number, counted from 1
    sex_at: int | None = None  # the digit whose parity tells the sex
    sex_odd: str = "1"
    sex_even: str = "2"


@dataclass(frozen=True)
class Feature:
    """One thing two records are compared by."""

    key: str
    kind: Kind
    elements: list[str]  # the first that is filled counts
    # person_name: elements with former names; text: features it is swapped with; address: features that name the same home
    other: list[str] = field(default_factory=list)
    is_compared: bool = True  # false: only blocks, or serves another feature
    rarity: bool = False  # a rare agreeing value says more than a common one
    via: list[str] = field(
        default_factory=list
    )  # where empty: the value of the person these features (numbers of kin) name
    placeholders: list[str] = field(default_factory=list)  # names ending so are no names yet ("child of …")


@dataclass(frozen=True)
class Blocking:
    """Pairs that agree on all of `on` are compared. `lone`: only where one side has no sound number."""

    key: str
    on: list[str]
    scope: Literal["any", "lone"] = "lone"


@dataclass(frozen=True)
class Training:
    """Pairs that agree on all of `on` are used to learn the other features' weights where no master number teaches them."""

    key: str
    on: list[str]


@dataclass(frozen=True)
class Targets:
    """How much error is allowed; thresholds follow from it, per pair of sources."""

    false_links: float = 0.0005  # at most this share of links may be wrong
    least_probability: float = 0.9  # and no single link may be less likely than this
    review_floor: float = 0.1  # below this probability nobody needs to look
    review_share: float = 0.012  # the queue may hold at most this share of persons; the likeliest come first


@dataclass(frozen=True)
class Linkage:
    """The whole of `linkage.toml`."""

    code: str
    features: list[Feature]
    blocking: list[Blocking]
    number: MasterNumber | None = None
    training: list[Training] = field(default_factory=list)
    targets: Targets = field(default_factory=Targets)
    name: str | None = None  # which features play these parts when a shared number is checked for contradiction
    birth: str | None = None
    sex: str | None = None
    contradictions: list[list[str]] = field(
        default_factory=list
    )  # all of one list disagree ("name~": is not the same): never linked unseen
    one_record_per_person: list[str] = field(default_factory=list)  # sources that hold nobody twice
    largest_block: int = 400  # a blocking value shared by more nodes than this is refused and reported

    IDENTITY: ClassVar[str] = "code"

    def feature(self, key: str) -> Feature:
        """The feature `key`."""
        return next(f for f in self.features if f.key == key)

    def check(self) -> Iterable[tuple[str, str, str]]:
        """Every feature and part that is named must exist."""
        kinds = {f.key: f.kind for f in self.features}
        for at, rules in (("blocking", self.blocking), ("training", self.training)):
            for rule in rules:
                for term in rule.on:
                    key, _, part = term.partition(".")
                    if key not in kinds or part not in PARTS[kinds[key]]:
                        yield (
                            f"{at}.{rule.key}",
                            f"names {term!r}, which no feature gives; known: {', '.join(_terms(self))}",
                            f"引用了不存在的特征 {term!r}；可用：{'、'.join(_terms(self))}",
                        )
        for at, keys in (
            ("name", [self.name]),
            ("birth", [self.birth]),
            ("sex", [self.sex]),
            *(("contradictions", [term.rstrip("~") for term in group]) for group in self.contradictions),
        ):
            for key in keys:
                if key is not None and key not in kinds:
                    yield at, f"names {key!r}, which is no feature", f"引用了不存在的特征 {key!r}"
        for feature in self.features:
            for key in [*feature.via, *(feature.other if feature.kind in ("text", "address") else [])]:
                if key not in kinds:
                    yield (
                        f"features.{feature.key}",
                        f"names {key!r}, which is no feature",
                        f"引用了不存在的特征 {key!r}",
                    )
        if self.number and not (self.name and self.birth and self.sex):
            yield (
                "number",
                "needs `name`, `birth` and `sex`: a shared number is never believed without them",
                "需要声明 name、birth、sex：共享号码必须与姓名、出生日期、性别核对",
            )
        if len(self.features) > MOST_FEATURES:
            yield "features", f"are more than {MOST_FEATURES}", f"多于 {MOST_FEATURES} 个"


@dataclass(frozen=True)
class SourceTrust:
    """What linking must know of a source; taken from its own declaration."""

    code: str
    is_baseline: bool
    reliability: float


#: a comparison pattern is packed into one 64-bit integer, four bits a feature
MOST_FEATURES = 15


def _terms(linkage: Linkage) -> list[str]:
    return [f"{f.key}.{part}" if part else f.key for f in linkage.features for part in PARTS[f.kind]]


@dataclass(frozen=True)
class Certain:
    """Pairs that may be decided together: `verdict` where all of `agree` agree and all of `differ` differ, nothing else speaks the other way, and the
    probability lies from `least` to `most_likely`. Feature keys of `linkage.toml`.
    """

    key: str
    name: Text
    verdict: Literal["same", "different"]
    reasons: list[str]
    agree: list[str] = field(default_factory=list)
    differ: list[str] = field(default_factory=list)
    least: float = 0.0
    most_likely: float = 1.0


@dataclass(frozen=True)
class ReviewRules:
    """What officers may decide together (declared/<profile>/review.toml); a profile without it has nothing that is certain."""

    IDENTITY: ClassVar[str] = "code"

    code: str
    most: int = 200
    certain: list[Certain] = field(default_factory=list)

    def check(self) -> Iterable[tuple[str, str, str]]:
        """Nobody is found to be one person by one field, and nobody to be two by none."""
        keys = [one.key for one in self.certain]
        for one in self.certain:
            if keys.count(one.key) > 1:
                yield one.key, "is declared twice", "重复声明"
            if one.verdict == "same" and (len(one.agree) < 2 or one.differ):
                yield (
                    f"{one.key}.agree",
                    "one person is certain by two fields at least, and by no difference",
                    "认定同一人至少须两项一致，且不得有不同项",
                )
            if one.verdict == "different" and not one.differ:
                yield f"{one.key}.differ", "two persons are certain by a difference", "认定为两人须有不同项"
