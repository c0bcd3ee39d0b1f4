"""The base of every error a user can meet.

One subclass is one error: it has a stable code, one sentence in each language (what happened, what to do) and the exit
code its command ends with. The fields that fill a sentence must never hold personal values: sentences reach logs.
"""

from typing import Any, ClassVar


class WanjiaError(Exception):
    """Something went wrong that a person can act on; see the subclass."""

    code: ClassVar[str] = "WANJIA-000"
    zh: ClassVar[str] = "操作未完成。请重试；如仍失败，请将编号告知管理员。"
    en: ClassVar[str] = "The operation did not finish. Try again; if it fails again, tell an administrator the code."
    exit_code: ClassVar[int] = 1

    def __init__(self, **fields: Any) -> None:
        self.fields = fields
        super().__init__(self.sentence("en"))

    def sentence(self, lang: str = "en") -> str:
        """The sentence in `lang` ("en", or anything starting with "zh"), with its fields filled in."""
        template = self.zh if lang.startswith("zh") else self.en
        return template.format(**self.fields)

    def __str__(self) -> str:
        return f"[{self.code}] {self.sentence('en')}"


class AlreadyRunning(WanjiaError):
    """Another main job holds the lock."""

    code = "KERNEL-001"
    zh = "另一个任务正在运行。请等待其结束后再试。"
    en = "Another job is running. Wait until it has ended, then try again."
    exit_code = 5


class DatabaseUnavailable(WanjiaError):
    """The PostgreSQL server cannot be started or reached."""

    code = "KERNEL-002"
    zh = "无法启动或连接数据库：{reason}。请运行 wanjia doctor 查看原因。"
    en = "The database cannot be started or reached: {reason}. Run 'wanjia doctor' to see why."


class LakeFileDamaged(WanjiaError):
    """A sealed file fails its integrity check: it was cut short, altered, or sealed with another key."""

    code = "KERNEL-003"
    zh = "密封文件 {name} 未通过完整性校验（被截断、改动或密钥不符）。请从备份恢复该文件。"
    en = (
        "The sealed file {name} fails its integrity check (cut short, altered, or another key). Restore it from backup."
    )


class LakeFileMissing(WanjiaError):
    """A sealed file that a stage needs is not there."""

    code = "KERNEL-004"
    zh = "缺少密封文件 {name}。请重新运行产生它的步骤。"
    en = "The sealed file {name} is missing. Run the stage that makes it again."


class KeyUnavailable(WanjiaError):
    """The key-encryption key or a data key cannot be used."""

    code = "KERNEL-005"
    zh = "密钥不可用：{reason}。请检查密钥目录 {folder}。"
    en = "A key cannot be used: {reason}. Check the key folder {folder}."


class EngineUnavailable(WanjiaError):
    """The chosen engine is not installed or does not start."""

    code = "KERNEL-006"
    zh = "计算引擎 {name} 不可用：{reason}。"
    en = "The engine {name} cannot be used: {reason}."
    exit_code = 2


class NotEnoughMemory(WanjiaError):
    """The engine ran out of the memory it was given; it never spills to disk in clear."""

    code = "KERNEL-007"
    zh = "内存不足（上限 {limit}）。请调高 WANJIA_MEMORY，或用 WANJIA_ENGINE=spark 在集群上运行。"
    en = "Out of memory (limit {limit}). Raise WANJIA_MEMORY, or run on a cluster with WANJIA_ENGINE=spark."


class WebRoleMissing(WanjiaError):
    """The pages' own database role is not there, and this account may not make it."""

    code = "KERNEL-010"
    zh = "缺少页面专用的数据库角色。请数据库管理员执行：{remedy}"
    en = "The pages' own database role is missing. Let the database's administrator run: {remedy}"


class NotAPracticeHome(WanjiaError):
    """The folder where the practice register would be holds something else."""

    code = "KERNEL-011"
    zh = "练习登记册的文件夹里已有别的内容，且没有练习标记。为免混淆，未作任何改动。请将其移走后再试。"
    en = "The practice register's folder holds something else, without the mark of practice. Nothing was touched: move it away and try again."
    exit_code = 2


class PracticeInUse(WanjiaError):
    """The practice register is being served, so it cannot be deleted."""

    code = "KERNEL-012"
    zh = "练习登记册正在使用。请先停止其服务，再清空。"
    en = "The practice register is in use. Stop serving it, then reset it."
    exit_code = 5
