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


class LogNotShown(WanjiaError):
    """Persons may not be read now: the log was not shown to go on from its last published checkpoint."""

    code = "TRACE-003"
    zh = "尚未证明留痕日志与已公布的检查点衔接，暂停查询人员。请运行 wanjia trace self-check 查看原因。"
    en = (
        "The log was not shown to go on from its last published checkpoint, so no person can be read. "
        "Run 'wanjia trace self-check' to see why."
    )


class LogBroken(WanjiaError):
    """The log in the database does not go on from what was published: rolled back (a restored backup) or rewritten."""

    code = "TRACE-004"
    zh = "留痕日志与已公布的检查点不衔接（{reason}：本库 {here} 条，已公布 {published} 条）。请按“恢复留痕”手册处理。"
    en = (
        "The log does not go on from its published checkpoint ({reason}: {here} entries here, {published} published). "
        "Follow docs/how-to/restore-the-trace.md."
    )


class LogIdentityChanged(WanjiaError):
    """The signing key's log name is not the one whose checkpoints are in the database."""

    code = "TRACE-005"
    zh = "签名密钥属于日志 {own}，而数据库中是日志 {found}。请恢复正确的密钥文件夹。"
    en = "The signing key belongs to the log {own}, but the database holds the log {found}. Restore the right key folder."


class NotInLog(WanjiaError):
    """The entry has no place in the public log: it does not exist, or waits for the next checkpoint."""

    code = "TRACE-006"
    zh = "公开日志中没有该条目。若刚刚产生，请几秒后再试。"
    en = "The public log has no such entry. If it was written just now, try again in a few seconds."


class EntryErased(WanjiaError):
    """The entry's content was erased by law; that it existed is still proven."""

    code = "TRACE-007"
    zh = "该条目的内容已依法删除；其存在仍可验证。"
    en = "The entry's content was erased by law; that it existed can still be shown."


class ProofRefused(WanjiaError):
    """Something that was to be verified does not hold."""

    code = "TRACE-008"
    zh = "验证未通过：{reason}。请保存该文件并告知监督机构。"
    en = "Verification failed: {reason}. Keep the file and tell the supervising authority."


class PublicFileMissing(WanjiaError):
    """A public file of a log cannot be read."""

    code = "TRACE-009"
    zh = "读不到公开文件 {name}。请核对地址后再试。"
    en = "The public file {name} cannot be read. Check the address and try again."


class WitnessSettingWrong(WanjiaError):
    """The witness setting is not an address and a verifier key."""

    code = "TRACE-010"
    zh = "WANJIA_TRACE_WITNESSES 应为“地址 公钥”，多个之间用逗号分隔。"
    en = "WANJIA_TRACE_WITNESSES must be 'ADDRESS KEY', several separated by commas."
    exit_code = 2


class SealIncomplete(WanjiaError):
    """A sealed read needs a legal basis, an approver and a day in the future on which it opens."""

    code = "TRACE-011"
    zh = "密封查询须写明法律依据、批准人和将来的开启日期。"
    en = "A sealed read needs its legal basis, its approver and a day in the future on which it opens."
    exit_code = 2


class SealUnknown(WanjiaError):
    """No read is sealed under this entry."""

    code = "TRACE-012"
    zh = "该条目不是密封查询。请核对编号。"
    en = "This entry is no sealed read. Check its number."


class OpenedAlready(WanjiaError):
    """The sealed read is open, or its day has come."""

    code = "TRACE-013"
    zh = "该密封查询已开启，本人已可查看。"
    en = "This sealed read is open already: the person can see it."


class KeysAnnounced(WanjiaError):
    """New signing keys are announced already."""

    code = "TRACE-015"
    zh = "新的签名密钥已公告，尚未启用。"
    en = "New signing keys are announced already, and not taken up yet."


class KeysNotYetTold(WanjiaError):
    """New signing keys cannot be taken up before the log's published checkpoint holds their announcement."""

    code = "TRACE-016"
    zh = "新的签名密钥尚未公告，或公告还未进入已公布的检查点。请几秒后再试。"
    en = "No new signing keys are announced, or the announcement is not in a published checkpoint yet. Try again in a few seconds."


class SecondPersonNeeded(WanjiaError):
    """Who asked for an early opening cannot agree to it."""

    code = "TRACE-014"
    zh = "提前开启须由另一人同意：提出者不能自行批准。"
    en = "An early opening needs a second person: who asked for it cannot agree to it."
