"""Decisions of the standards context as pure functions: the limits, and how codes may be spelt."""

import re
from collections.abc import Iterable, Mapping

# Design, section 2. A word is looked for in keys, names and labels, never in explanations: an explanation may say what is not done.
TRACKING_WORDS = (
    "lodging", "hotel", "hostel", "internet cafe", "internet_cafe", "netbar", "camera", "cctv", "face capture", "plate recognition",
    "phone network", "phone_network", "cell tower", "cell_tower", "base station", "signalling", "signaling", "gps", "geolocation",
    "trajectory", "whereabouts", "movement trace", "location trace", "transport", "travel", "flight", "train ticket", "toll gate",
    "住宿", "旅馆", "旅店", "酒店", "宾馆", "网吧", "上网服务", "摄像", "抓拍", "卡口", "人脸识别", "手机信令", "信令", "基站", "定位", "轨迹",
    "行踪", "出行", "乘车", "乘客", "客运", "航班", "火车票", "铁路购票", "民航", "通行记录",
)  # fmt: skip
JUDGING_WORDS = (
    "score", "scoring", "risk", "watch list", "watchlist", "watch_list", "blacklist", "black list", "suspect", "predicted", "prediction",
    "person of interest", "profiling", "trustworthiness", "key person", "key population",
    "评分", "信用分", "风险", "重点人员", "重点人口", "关注人员", "黑名单", "失信", "嫌疑", "预测", "画像", "积分等级", "可疑",
)  # fmt: skip
PROTECTED_WORDS: dict[str, tuple[str, ...]] = {
    "ethnicity": ("ethnic", "ethnicity", "race", "nationality group", "民族", "种族"),
    "religion": ("religion", "religious", "faith", "宗教", "信仰"),
    "health": (
        "disease", "diagnosis", "illness", "cause of death", "chronic", "immunisation", "blood", "disability category", "disability grade",
        "疾病", "诊断", "死因", "慢病", "免疫", "血型", "病历", "残疾类别",
    ),
    "biometrics": ("fingerprint", "dna", "iris", "portrait", "face image", "voiceprint", "指纹", "虹膜", "人像", "声纹", "基因"),
}  # fmt: skip

Breach = tuple[str, str, str]
_NARROW = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)}


def limit_breaches(words: Mapping[str, str], *, judged: bool = True) -> list[Breach]:
    """Breaches of limits 1 and 2 in the words of a declaration: where the word stands → the word (a key, a name, a label).

    Each breach is (where, sentence in English, sentence in Chinese), as a declared class's `check` yields them. With
    ``judged=False`` only limit 1 is looked at.
    """
    found: list[Breach] = []
    for where, text in words.items():
        if tracking := word_in(text, TRACKING_WORDS):
            found.append(
                (
                    where,
                    f"breaks limit 1 (no tracking of people): {tracking!r} speaks of where a person went",
                    f"违反界限一（不追踪个人去向）：“{tracking}”属于个人行踪",
                )
            )
        if judged and (judging := word_in(text, JUDGING_WORDS)):
            found.append(
                (
                    where,
                    f"breaks limit 2 (no watch-lists, no scores of persons): {judging!r} judges a person",
                    f"违反界限二（不设重点人员名单、不给个人评分）：“{judging}”是对个人的评判",
                )
            )
    return found


def protected_kind(words: Iterable[str]) -> str | None:
    """The protected attribute (ethnicity, religion, health, biometrics) that these words speak of, if they do."""
    texts = list(words)
    for kind, marks in PROTECTED_WORDS.items():
        if any(word_in(text, marks) for text in texts):
            return kind
    return None


def protected_breaches(
    uses: Mapping[str, Iterable[str]], protected: Mapping[str, str | None], *, statistic: bool = False
) -> list[Breach]:
    """Breaches of limit 3: a protected element used as filter, label, feature, index or share criterion.

    `uses`: where in the declaration → the element keys named there; `protected`: element key → its protected kind. A protected
    statistic (``statistic=True``, an indicator whose release is protected) may count by a protected element.
    """
    if statistic:
        return []
    return [
        (
            where,
            f"breaks limit 3 (protected attributes): {key!r} is {protected[key]} and may not be used here",
            f"违反界限三（受保护属性）：“{key}”属于受保护属性（{protected[key]}），不得用于此处",
        )
        for where, keys in uses.items()
        for key in keys
        if protected.get(key)
    ]


def word_in(text: str, words: Iterable[str]) -> str | None:
    """The first of `words` that stands in `text`; a Latin word must stand there as a whole word."""
    plain = text.lower().replace("_", " ").replace("-", " ")
    for word in words:
        wanted = word.replace("_", " ")
        if wanted.isascii():
            if re.search(rf"(?<![a-z]){re.escape(wanted)}(?![a-z])", plain):
                return word
        elif wanted in text:
            return word
    return None


def spelling_key(text: str) -> str:
    """The form in which spellings are compared: half-width, upper case, without spaces."""
    return re.sub(r"\s+", "", text.translate(_NARROW)).upper()


def spellings(codes: Iterable[tuple[str, Iterable[str]]]) -> dict[str, str]:
    """Spelling key → code, from (code, names and further spellings). A spelling that two codes share means neither.

    A code itself always means itself, also without its leading zeros where that is no other code.
    """
    rows = [(code, list(names)) for code, names in codes]
    known = {spelling_key(code): code for code, _ in rows}
    for code, _ in rows:
        known.setdefault(spelling_key(code).lstrip("0") or "0", code)
    named: dict[str, set[str]] = {}
    for code, names in rows:
        for name in names:
            if name:
                named.setdefault(spelling_key(name), set()).add(code)
    return known | {key: next(iter(owners)) for key, owners in named.items() if len(owners) == 1 and key not in known}
