"""Errors of oversight."""

from wanjia.kernel.errors import WanjiaError


class AlertUnknown(WanjiaError):
    """There is no such alert, or it was decided before."""

    code = "OVERSIGHT-001"
    zh = "没有编号为 {number} 的待处理预警。"
    en = "There is no open alert number {number}."
    exit_code = 2


class IncidentUnknown(WanjiaError):
    """There is no such incident."""

    code = "OVERSIGHT-002"
    zh = "没有编号为 {number} 的事件。"
    en = "There is no incident number {number}."
    exit_code = 2


class StepNotYet(WanjiaError):
    """The steps of an incident come in their order."""

    code = "OVERSIGHT-003"
    zh = "现在还不能进行该步骤：{missing_zh}。"
    en = "This step cannot be taken yet: {missing_en}."
    exit_code = 2


class NotStaff(WanjiaError):
    """The account is a resident's or a machine's: those are not watched, nor reviewed here."""

    code = "OVERSIGHT-004"
    zh = "账号 {username} 不是工作人员账号。监看只针对工作人员，不针对居民。"
    en = "The account {username} is not one of staff. Only staff are watched, never residents."
    exit_code = 2


class ReviewUnknown(WanjiaError):
    """There is no such review, or the account is not in it."""

    code = "OVERSIGHT-005"
    zh = "没有这项复核，或该账号不在其中。"
    en = "There is no such review, or the account is not in it."
    exit_code = 2
