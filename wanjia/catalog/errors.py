"""Errors of the catalog."""

from wanjia.kernel.errors import WanjiaError


class RunUnknown(WanjiaError):
    """A stage was reported for a run that was never opened, or is closed."""

    code = "CATALOG-001"
    zh = "运行 {run} 不存在或已结束。请重新开始运行。"
    en = "The run {run} does not exist or has ended. Start a run anew."


class NoRunYet(WanjiaError):
    """Something was asked about the last run, and there has been none."""

    code = "CATALOG-002"
    zh = "尚无已完成的运行。请先执行 wanjia run。"
    en = "No run has finished yet. Run 'wanjia run' first."
    exit_code = 2
