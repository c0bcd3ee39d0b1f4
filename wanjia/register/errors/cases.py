"""What can be wrong with a case as a whole, and with two people working on one."""

from collections.abc import Iterable, Mapping, Sequence

from wanjia.kernel.errors import WanjiaError
from wanjia.register.errors.fields import FieldError


class FormRefused(WanjiaError):
    """The form has mistakes; `problems` maps each field to its sentences. `people`: who was looked at to know that, for the trace."""

    code = "REGISTER-010"
    zh = "表单有 {count} 处需要改正。"
    en = "{count} places in the form need correcting."
    exit_code = 2

    def __init__(self, problems: Mapping[str, Sequence[FieldError]], *, people: Iterable[int] = ()) -> None:
        self.problems = {field: list(said) for field, said in problems.items()}
        self.people = sorted(set(people))
        super().__init__(count=sum(len(said) for said in self.problems.values()))


class CaseUnknown(WanjiaError):
    """No case of that number, or none this account may see; the two are not told apart."""

    code = "REGISTER-011"
    zh = "没有该编号的事项，或不在您的办理范围内。"
    en = "There is no case of that number within your reach."
    exit_code = 2


class KindUnknown(WanjiaError):
    """No such kind of event is declared."""

    code = "REGISTER-012"
    zh = "没有声明事项种类 {kind}{near_zh}。"
    en = "No kind of event {kind!r} is declared{near_en}."
    exit_code = 2


class CaseMovedOn(WanjiaError):
    """Somebody else changed the case since it was read."""

    code = "REGISTER-013"
    zh = "您打开之后，{who} 已更新此事项（{what_zh}）。您的修改未保存，请刷新后继续。"
    en = "{who} changed this case after you opened it ({what_en}). Your change was not made: reload and go on."


class MoveNotAllowed(WanjiaError):
    """The table of what may happen next does not have this step."""

    code = "REGISTER-014"
    zh = "状态为“{status_zh}”时不能“{verb_zh}”。可以：{may_zh}。"
    en = "A case that is “{status_en}” cannot be “{verb_en}”. Possible: {may_en}."


class SameEyes(WanjiaError):
    """The kind asks for a second pair of eyes."""

    code = "REGISTER-015"
    zh = "此事项须由另一人审核，不能由经办人本人登记。"
    en = "This needs a second pair of eyes: who handled it cannot register it."


class ReasonMissing(WanjiaError):
    """The step asks for a reason in words."""

    code = "REGISTER-016"
    zh = "请写明理由。"
    en = "Say why."
    exit_code = 2


class RegisterBusy(WanjiaError):
    """A load or another act holds what this needs for longer than an officer should wait."""

    code = "REGISTER-017"
    zh = "登记正在装载、区划正在变更，或有他人正在办理相同人员或事项，请稍候再试。内容已保存为草稿。"
    en = (
        "The register is being loaded, divisions are being changed, or somebody works on the same persons or case."
        " Try again shortly; the draft is kept."
    )


class SubjectGone(WanjiaError):
    """A person of the case was merged with another, or erased, while the case was worked on."""

    code = "REGISTER-018"
    zh = "事项中的一人已被合并或不再在册。请重新选择人员。"
    en = "A person of this case was merged with another or is no longer held. Choose the person again."


class LaterEventStands(WanjiaError):
    """An event can be revoked only when none of its persons has a later one."""

    code = "REGISTER-019"
    zh = "其后还有 {count} 个涉及同一人的已登记事项（{numbers}）。请先撤销后面的事项。"
    en = "{count} later events about the same persons stand ({numbers}). Revoke those first."


class NumbersUsedUp(WanjiaError):
    """A county has given out all numbers of one day and sex."""

    code = "REGISTER-020"
    zh = "该区划当日的顺序码已用完。请上报处理。"
    en = "The county's sequence for that day is used up. Report it."


class HouseholdWouldBreak(WanjiaError):
    """After this a household would have no head, or two, or somebody would belong to two households."""

    code = "REGISTER-021"
    zh = "办理后该户将没有户主、有两个户主，或有人同时属于两户。未作任何更改。"
    en = "A household would have no head or two heads, or somebody would be in two households. Nothing was changed."


class KeyOfAnotherCase(WanjiaError):
    """The same idempotency key came with another content."""

    code = "REGISTER-022"
    zh = "同一提交键用于不同内容。请刷新页面后重新提交。"
    en = "The same key came with other content. Reload the page and submit again."


class DeskElsewhere(WanjiaError):
    """A case was given to somebody who could not open it."""

    code = "REGISTER-024"
    zh = "{who} 的辖区不包括该事项的办理机关，不能分派给此人。"
    en = "The area of {who} does not cover the office of this case, so it cannot be given to them."
    exit_code = 2


class DeciderNotAllowed(WanjiaError):
    """The account's role or area may not decide this kind."""

    code = "REGISTER-023"
    zh = "此事项由 {office} 的 {roles} 办理。"
    en = "This is decided by {roles} at {office}."
