"""What can be wrong with carrying out a change of divisions, and with asking for restated numbers."""

from wanjia.kernel.errors import WanjiaError


class ChangeKnown(WanjiaError):
    """A change of that code was ordered before."""

    code = "REGISTER-060"
    zh = "编号为 {change} 的区划变更已下达过（{state_zh}），同一变更只执行一次。"
    en = "A change {change} was ordered before ({state_en}); a change is carried out once."
    exit_code = 2


class ChangeUnknown(WanjiaError):
    """No change of that code waits."""

    code = "REGISTER-061"
    zh = "没有待执行的区划变更 {change}。用 wanjia divisions list 查看。"
    en = "No change {change} waits to be carried out. See 'wanjia divisions list'."
    exit_code = 2


class ChangeAhead(WanjiaError):
    """The day of the change has not come."""

    code = "REGISTER-062"
    zh = "区划变更 {change} 自 {on} 起生效，届时自动执行；在此之前可以预览或撤回。"
    en = "The change {change} holds from {on} and is carried out on that day; until then it can be looked at or withdrawn."
    exit_code = 2


class YearNotCounted(WanjiaError):
    """The years asked for were never counted."""

    code = "REGISTER-063"
    zh = "所选年份尚未计数。请运行 wanjia divisions count（夜间任务也会计数）。"
    en = "The years asked for have not been counted. Run 'wanjia divisions count' (the nightly job does so too)."


class AreaNotThere(WanjiaError):
    """The area asked for did not stand on the day of the divisions asked for."""

    code = "REGISTER-064"
    zh = "{area} 在 {on} 不是有效的区划。"
    en = "{area} was no division on {on}."
    exit_code = 2
