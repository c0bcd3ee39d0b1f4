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
