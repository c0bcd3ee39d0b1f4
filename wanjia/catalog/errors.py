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


class ConflictUnknown(WanjiaError):
    """No conflict of that number is open, or none this account may see; the two are not told apart."""

    code = "CATALOG-003"
    zh = "没有该编号的待核查冲突，或不在您的办理范围内。"
    en = "No conflict of that number is open within your reach."
    exit_code = 2


class ConflictDecided(WanjiaError):
    """Somebody else decided the conflict meanwhile."""

    code = "CATALOG-004"
    zh = "{who} 已对该冲突作出认定。您的认定未保存。"
    en = "{who} decided this conflict meanwhile. Your decision was not kept."


class ConflictReasonNeeded(WanjiaError):
    """A decision is nothing without its reason."""

    code = "CATALOG-005"
    zh = "请写明理由（至少 {least} 个字，至多 {most} 个字）。"
    en = "Say why (at least {least} characters, at most {most})."
    exit_code = 2


class ConflictChanged(WanjiaError):
    """The values were not the same any more when the decision came."""

    code = "CATALOG-006"
    zh = "您查看之后，来源报送的值已有变化。您的认定未保存，请重新查看。"
    en = "What the sources say has changed since you looked. Your decision was not kept: look again."


class NoValueChosen(WanjiaError):
    """The register is to be corrected, and it was not said by which value."""

    code = "CATALOG-007"
    zh = "请选择哪个来源的值正确。"
    en = "Choose whose value is right."
    exit_code = 2
