"""What can be wrong with one field of an event's form. `field` is not part of the sentence: the page stands it beside the field."""

from collections.abc import Sequence
from typing import Any

from wanjia.kernel.errors import WanjiaError


class FieldError(WanjiaError):
    """A field of a form is refused; the sentence stands beside the field, and in the summary. Never holds what was typed."""

    exit_code = 2


class FieldMissing(FieldError):
    """A required field is empty."""

    code = "REGISTER-F01"
    zh = "请填写此项。"
    en = "Fill this in."


class FieldTooLong(FieldError):
    """More characters than the field takes."""

    code = "REGISTER-F02"
    zh = "内容过长：最多 {most} 个字符，现有 {length} 个。"
    en = "Too long: at most {most} characters, there are {length}."


class FieldHoldsControl(FieldError):
    """Control characters, or characters that change the direction of writing."""

    code = "REGISTER-F03"
    zh = "含有不可见的控制字符（可能来自复制粘贴）。请清空后重新输入。"
    en = "Holds invisible control characters (perhaps from pasting). Empty the field and type it again."


class NotADate(FieldError):
    """Not written as a day."""

    code = "REGISTER-F04"
    zh = "日期应写作 2026-01-31 或 20260131。"
    en = "Write the day as 2026-01-31 or 20260131."


class DayNotReal(FieldError):
    """A day the calendar does not have, such as 29 February of a common year."""

    code = "REGISTER-F05"
    zh = "日历上没有这一天。请核对年、月、日。"
    en = "The calendar has no such day. Check year, month and day."


class DayInFuture(FieldError):
    """A day after today where only what has happened is registered."""

    code = "REGISTER-F06"
    zh = "日期在今天之后。请核对。"
    en = "The day lies after today. Check it."


class DayTooLongAgo(FieldError):
    """Longer ago than anybody lives."""

    code = "REGISTER-F07"
    zh = "日期早于 {year} 年。请核对。"
    en = "The day lies before {year}. Check it."


class NumberMalformed(FieldError):
    """Not eighteen characters of a citizen number."""

    code = "REGISTER-F08"
    zh = "公民身份号码应为 18 位：17 位数字加 1 位校验码。"
    en = "A citizen number has 18 characters: 17 digits and a check character."


class CheckDigitWrong(FieldError):
    """The check character does not belong to the digits: a digit is mistyped."""

    code = "REGISTER-F09"
    zh = "校验码不符：有一位可能写错。请对照证件核对。"
    en = "The check character does not fit: a digit may be mistyped. Compare with the document."


class CodeNotInSet(FieldError):
    """No code or name of the field's code set."""

    code = "REGISTER-F10"
    zh = "不在可选值之中{near_zh}。请从列表中选择。"
    en = "Is not one of the values{near_en}. Choose one from the list."


class DivisionNotKnown(FieldError):
    """No division of that code on that day."""

    code = "REGISTER-F11"
    zh = "没有这个区划代码。请从列表中选择。"
    en = "There is no division of that code. Choose one from the list."


class DivisionToChoose(FieldError):
    """What was typed does not say one division that stood on the day it is read by. `choices`: codes of those it may mean."""

    def __init__(self, *, choices: Sequence[str], **fields: Any) -> None:
        self.choices = tuple(choices)
        super().__init__(**fields)


class SeveralDivisions(DivisionToChoose):
    """More than one division fits."""

    code = "REGISTER-F40"
    zh = "符合的区划不止一个。请从列出的区划中选择，或写得更完整。"
    en = "More than one division fits. Choose one of those listed, or write more of it."


class DivisionNotThen(DivisionToChoose):
    """The division did not stand on that day."""

    code = "REGISTER-F41"
    zh = "{name}在 {on} 不是有效的区划。请从列出的当日区划中选择。"
    en = "{name_en} was no division on {on}. Choose one of those listed, which stood on that day."


class NotAName(FieldError):
    """Characters no name has."""

    code = "REGISTER-F12"
    zh = "姓名只能包含文字和间隔号（·）。"
    en = "A name holds letters or characters and the middle dot (·) only."


class HouseholdNotKnown(FieldError):
    """No such household is in the register now."""

    code = "REGISTER-F13"
    zh = "登记中没有该户。请重新选择。"
    en = "The register holds no such household now. Choose again."


class FieldUnknown(FieldError):
    """The form has no such field."""

    code = "REGISTER-F14"
    zh = "此表单没有这一项{near_zh}。"
    en = "This form has no such field{near_en}."


class EvidenceMissing(FieldError):
    """A document the law asks for was not seen."""

    code = "REGISTER-F15"
    zh = "请查验该证明材料并填写编号。"
    en = "See this document and enter its number."


class PersonMissing(FieldError):
    """Nobody is named for a part that somebody must play."""

    code = "REGISTER-F16"
    zh = "请选择此人。"
    en = "Choose this person."


class PersonNotReached(FieldError):
    """Nobody of that id, or nobody within reach; the two are not told apart."""

    code = "REGISTER-F17"
    zh = "没有此人，或不在您的办理范围内。可请其出示证件，输入完整公民身份号码。"
    en = "There is nobody of that id within your reach. With their document at hand, enter the full citizen number."


class NumberOfAnother(FieldError):
    """The number is not the one this person holds in the register."""

    code = "REGISTER-F18"
    zh = "该号码在登记中不属于此人。请核对证件。"
    en = "In the register this number is not this person's. Check the document."


class DeclarantNotAllowed(FieldError):
    """Not somebody who may declare this."""

    code = "REGISTER-F19"
    zh = "此事项应由下列人员申报：{who_zh}。"
    en = "This is declared by: {who_en}."


class WrongPattern(FieldError):
    """Not in the form such numbers have."""

    code = "REGISTER-F20"
    zh = "格式不符。示例：{example}。"
    en = "Not in the right form. For example: {example}."


class NotAnInteger(FieldError):
    """Not a whole number within bounds."""

    code = "REGISTER-F21"
    zh = "请填写 {least} 至 {most} 之间的整数。"
    en = "Enter a whole number from {least} to {most}."


class WrongShape(FieldError):
    """Not the kind of value the field holds (a text where a list belongs, say)."""

    code = "REGISTER-F22"
    zh = "内容的类型不符。请重新填写。"
    en = "Not the kind of content that belongs here. Enter it again."
