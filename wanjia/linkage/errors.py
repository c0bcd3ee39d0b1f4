"""What can go wrong while linking, each with a sentence for the user."""

from wanjia.kernel.errors import WanjiaError


class NothingToLinkBy(WanjiaError):
    """No comparison could be trained: the assertions hold none of the declared features."""

    code = "LINKAGE-001"
    zh = "无法训练关联模型：数据中没有可比较的特征。请检查 linkage.toml 中的特征与来源的字段对应。"
    en = "The linkage model cannot be trained: no declared feature is filled. Check the features in linkage.toml and the mappings of the sources."


class NoModel(WanjiaError):
    """Links were asked for before any model was trained."""

    code = "LINKAGE-002"
    zh = "尚无关联模型。请先运行 wanjia run。"
    en = "There is no linkage model yet. Run 'wanjia run' first."


class NoLinks(WanjiaError):
    """Scoring or exporting was asked for before anything was linked."""

    code = "LINKAGE-003"
    zh = "尚无关联结果。请先运行 wanjia run。"
    en = "Nothing has been linked yet. Run 'wanjia run' first."


class UnreadableTruth(WanjiaError):
    """The truth file lacks what scoring needs."""

    code = "LINKAGE-004"
    zh = "真值文件 {file} 不可用：{reason}。需要列 source、record_key、person，可选 subject、fault。"
    en = "The truth file {file} cannot be used: {reason}. It needs columns source, record_key, person; subject and fault are optional."
    exit_code = 2


class UnknownAssertion(WanjiaError):
    """Evidence was asked for an assertion that is not linked."""

    code = "LINKAGE-005"
    zh = "编号 {assertion_id} 的主张没有关联记录。"
    en = "Assertion {assertion_id} has no link."


class TooManyForTheFastLane(WanjiaError):
    """The fast lane takes small batches only."""

    code = "LINKAGE-006"
    zh = "快速通道一次最多 {limit} 行，收到 {count} 行。请改用批量投递。"
    en = "The fast lane takes at most {limit} rows at a time and got {count}. Deliver them as a file instead."


class ReviewCaseUnknown(WanjiaError):
    """No pair of that number waits for an officer, or none this account may see; the two are not told apart."""

    code = "LINKAGE-007"
    zh = "没有该编号的待核查记录，或不在您的办理范围内。"
    en = "No pair of that number waits within your reach."
    exit_code = 2


class PairDecided(WanjiaError):
    """Somebody else decided the pair meanwhile."""

    code = "LINKAGE-008"
    zh = "{who} 已对这一对作出认定。您的认定未保存。"
    en = "{who} decided this pair meanwhile. Your decision was not kept."


class ReasonNeeded(WanjiaError):
    """A decision is nothing without its reason."""

    code = "LINKAGE-009"
    zh = "请写明理由（至少 {least} 个字，至多 {most} 个字）。"
    en = "Say why (at least {least} characters, at most {most})."
    exit_code = 2


class BatchUnknown(WanjiaError):
    """No such rule or batch, or nothing of it stands within the account's reach."""

    code = "LINKAGE-010"
    zh = "没有该规则或该批认定，或其中已无您可撤回的认定。"
    en = "There is no such rule or batch, or nothing of it that you could take back."
    exit_code = 2
