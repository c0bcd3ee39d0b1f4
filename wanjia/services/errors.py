"""What the residents' services refuse, in words a resident can act on."""

from wanjia.kernel.errors import WanjiaError


class LookUnknown(WanjiaError):
    """No entry of this number is about the person, or it may not be told one by one. The two are not told apart."""

    code = "SERVICES-001"
    zh = "没有这条查阅记录，或它不能单独告知。请从“谁查阅过我”中选择。"
    en = "There is no such look, or it may not be told by itself. Choose one from “Who looked”."


class CaseUnknown(WanjiaError):
    """No case of this number is the person's, or within the office's reach. The two are not told apart."""

    code = "SERVICES-002"
    zh = "没有这件申请，或不在您的办理范围内。"
    en = "There is no such case, or it is not within your reach."


class StepNotNow(WanjiaError):
    """The case is in a state in which this step is not possible."""

    code = "SERVICES-003"
    zh = "现在不能进行这一步。请返回查看办理进度。"
    en = "This step cannot be taken now. Go back and look how the case stands."


class AskedAlready(WanjiaError):
    """There is a case about this already."""

    code = "SERVICES-004"
    zh = "您已就此提出过，正在办理或已有答复。请在“我的申请”中查看。"
    en = "You have asked about this already. Look under “My requests”."


class NotYourselves(WanjiaError):
    """The person who acts is the one the question is about, or gave the answer that is appealed against."""

    code = "SERVICES-005"
    zh = "不能由查阅人本人答复，也不能由原答复人处理申诉。请转给同事。"
    en = (
        "Nobody answers for a look of their own, or decides an appeal against their own answer. Hand it to a colleague."
    )


class EvidenceRefused(WanjiaError):
    """A file is too large or of a kind that is not taken."""

    code = "SERVICES-006"
    zh = "证明材料须为照片（JPEG、PNG）或 PDF，每份不超过 {megabytes} MB，最多三份。"
    en = "Evidence is a photo (JPEG, PNG) or a PDF of at most {megabytes} MB, three at the most."


class NothingToCorrect(WanjiaError):
    """The record holds no such value that its person may have corrected here."""

    code = "SERVICES-007"
    zh = "您的档案中没有这一项，或不能在这里更正。请到登记窗口办理。"
    en = "Your record holds no such value, or it cannot be corrected here. Go to a registration office."


class UsageQueryWrong(WanjiaError):
    """A portal asks in a way that the protocol does not know, or that would put a person into an address."""

    code = "SERVICES-008"
    zh = "请求不符合约定：公民身份号码只放在请求头 X-Road-UserId 中，时间用 ISO 8601，limit 为 1 至 10000。"
    en = "The request does not fit: the citizen number goes into the header X-Road-UserId only, times are ISO 8601, limit is from 1 to 10,000."
