"""What can go wrong with a delivery as a whole. Each class is one sentence in each language and a code that never changes.

A single bad row is not an error: it is quarantined with one of `rules.REASONS`. No field ever carries a personal value: column
names, row numbers and counts only.
"""

from wanjia.kernel.errors import WanjiaError


class IntakeError(WanjiaError):
    """A delivery, or a request about one, is refused. Subclasses say why."""


class SourceUnknown(IntakeError):
    code = "INTAKE-001"
    zh = "没有名为“{source}”的来源。已声明的来源：{known}。"
    en = "There is no source '{source}'. Declared sources: {known}."
    exit_code = 2


class NoSourceForFile(IntakeError):
    code = "INTAKE-002"
    zh = "文件名不符合任何来源声明的样式（后缀 {suffix}）。请按声明命名，或用 --source 指明来源。"
    en = "The file's name fits no pattern of a declared source (suffix {suffix}). Rename it as declared, or name the source."


class EmptyDelivery(IntakeError):
    code = "INTAKE-003"
    zh = "文件是空的，或只有表头没有记录。请核对导出后重新报送。"
    en = "The file is empty, or holds a header and no record. Check the export and send it again."


class DeliveryTooLarge(IntakeError):
    code = "INTAKE-004"
    zh = "文件有 {size} 字节，超过上限 {limit} 字节。请分成几个文件报送。"
    en = "The file has {size} bytes; at most {limit} are taken. Send it in several files."


class WrongFormat(IntakeError):
    code = "INTAKE-005"
    zh = "文件名表示 {expected}，内容却是 {found}。请从原系统重新导出，不要改后缀名。"
    en = "The name says {expected} but the content is {found}. Export it again; do not rename the suffix."


class DamagedFile(IntakeError):
    code = "INTAKE-006"
    zh = "{kind} 文件已损坏，无法读取。请核对文件大小后重新报送。"
    en = "The {kind} file is damaged and cannot be read. Compare its size with the original and send it again."


class ExpandsTooMuch(IntakeError):
    code = "INTAKE-007"
    zh = "文件展开后超过上限（{expanded} 对 {limit}），按解压炸弹拒收。请改用 CSV 或拆分。"
    en = "The file unfolds beyond the limit ({expanded} against {limit}) and is refused as a bomb. Send CSV, or split it."


class EncodingUnreadable(IntakeError):
    code = "INTAKE-008"
    zh = "{bad} 行中有既非 UTF-8 也非 GB18030 的字节（共 {lines} 行）。请用 UTF-8 或 GB18030 重新导出。"
    en = "{bad} of {lines} lines hold bytes that are neither UTF-8 nor GB18030. Export again in one of the two."


class MissingColumns(IntakeError):
    code = "INTAKE-009"
    zh = "来源“{source}”必需的列缺失：{missing}。{hint_zh}整批拒收，未入库任何一行。"
    en = "Columns that source '{source}' must have are missing: {missing}. {hint_en}The whole delivery is refused; no row was taken."


class DuplicateColumns(IntakeError):
    code = "INTAKE-010"
    zh = "有两列都对应“{column}”。请只保留一列。"
    en = "Two columns stand for '{column}'. Keep one."


class TooManyColumns(IntakeError):
    code = "INTAKE-011"
    zh = "表头有 {count} 列，上限 {limit} 列。请核对分隔符和导出内容。"
    en = "The header has {count} columns; at most {limit} are taken. Check the delimiter and the export."


class MovementRefused(IntakeError):
    code = "INTAKE-012"
    zh = "含个人行踪类数据（{column}）。界限一：不追踪个人去向，此类记录一律拒收，且未留存。请删去该列后重报。"
    en = "It says where single persons went ({column}). Limit 1: no tracking of people; nothing was kept. Send it without."


class TruncatedFile(IntakeError):
    code = "INTAKE-013"
    zh = "文件在第 {row} 行中途断开，传输不完整。整批拒收，请重新报送。"
    en = "The file breaks off in the middle of row {row}: the transfer was cut. The whole delivery is refused; send it again."


class ReadingStopped(IntakeError):
    code = "INTAKE-014"
    zh = "读取 {kind} 文件超出了时间或内存上限，已停止。请改用 CSV 报送。"
    en = "Reading the {kind} file passed the limit of time or memory and was stopped. Send it as CSV."


class DeliveryUnknown(IntakeError):
    code = "INTAKE-015"
    zh = "没有编号为 {delivery} 的批次。"
    en = "There is no delivery {delivery}."
    exit_code = 2


class DeliveryNotReady(IntakeError):
    code = "INTAKE-016"
    zh = "批次 {delivery} 的状态是“{status}”，不能这样处理。"
    en = "Delivery {delivery} is {status}; that cannot be done with it."


class PullNotConfigured(IntakeError):
    code = "INTAKE-017"
    zh = "来源“{source}”要从数据库拉取，但环境变量 {setting} 未设置，或声明中缺 table。"
    en = "Source '{source}' is pulled from a database, but the setting {setting} is empty or its file names no table."
    exit_code = 2


class PullFailed(IntakeError):
    code = "INTAKE-018"
    zh = "从来源“{source}”的数据库读取失败（{reason}）。水位线未动，可重试。"
    en = "Reading from the database of source '{source}' failed ({reason}). The watermark did not move; try again."


class PushRefused(IntakeError):
    code = "INTAKE-019"
    zh = "推送内容不是一个 JSON 对象或对象数组，或超过 {limit} 条。"
    en = "The body is not one JSON object or an array of objects, or holds more than {limit}."


class IdempotencyConflict(IntakeError):
    code = "INTAKE-020"
    zh = "同一个 Idempotency-Key 曾用于另一份内容。新内容请用新的键。"
    en = "This Idempotency-Key was used for another body. Use a new key for new content."


class TokenRefused(IntakeError):
    code = "INTAKE-021"
    zh = "令牌缺失、失效，或不属于该来源。"
    en = "The token is missing, no longer valid, or not of this source."


class SheetMissing(IntakeError):
    code = "INTAKE-022"
    zh = "工作簿中没有工作表“{sheet}”。"
    en = "The workbook has no sheet '{sheet}'."


class AmbiguousSource(IntakeError):
    code = "INTAKE-023"
    zh = "文件名同时符合多个来源：{sources}。请用 --source 指明。"
    en = "The file's name fits more than one source: {sources}. Name the source."
    exit_code = 2


class NotAFile(IntakeError):
    code = "INTAKE-024"
    zh = "无法读取该路径：不存在、不是普通文件，或没有权限。"
    en = "The path cannot be read: it does not exist, is no plain file, or is not permitted."
    exit_code = 2


class LandingMissing(IntakeError):
    code = "INTAKE-025"
    zh = "批次 {delivery} 的原始文件不在库中。请撤回该批次并重新报送。"
    en = "The kept original of delivery {delivery} is not in the lake. Withdraw the delivery and send it again."


class ReceiptUnknown(IntakeError):
    code = "INTAKE-026"
    zh = "没有这个回执号。"
    en = "There is no such receipt."


class IdempotencyKeyMissing(IntakeError):
    code = "INTAKE-027"
    zh = "请求缺少 Idempotency-Key 头。每次推送给一个自己的键，重试时用同一个。"
    en = "The request has no Idempotency-Key header. Give each push a key of its own, and retry with the same one."


class MostRowsRefused(IntakeError):
    code = "INTAKE-028"
    zh = "{rows} 行中有 {refused} 行不合格（最多的原因：{reason}）。应是导出或列对应有误，整批拒收；请核对后重报。"
    en = "{refused} of {rows} rows are refused (mostly {reason}). The export or its mapping must be wrong; check it and send again."


class PracticeTakesNoRecords(IntakeError):
    code = "INTAKE-029"
    zh = "这是练习登记册，只收其自带的虚构城市的数据。请向正式登记册报送。"
    en = "This is a practice register: it takes the records of its own fictional city only. Deliver to the register in earnest."
    exit_code = 2
