"""Errors of the trace."""

from wanjia.kernel.errors import WanjiaError


class PurposeMissing(WanjiaError):
    """A read or change was asked for without saying who does it and why."""

    code = "TRACE-001"
    zh = "操作 {kind} 缺少操作人或事由。请填写后再试。"
    en = "The operation {kind} lacks its actor or its purpose. Give both and try again."
    exit_code = 2


class DetailHoldsPersonalData(WanjiaError):
    """The detail of a trace entry looks like personal data; the trace keeps ids and counts only."""

    code = "TRACE-002"
    zh = "留痕明细 {key} 疑似含个人数据，已拒绝。留痕只记编号与数量。"
    en = "The detail {key} of a trace entry looks like personal data and was refused. The trace keeps ids and counts only."
