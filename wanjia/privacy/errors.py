"""Errors of the vault."""

from wanjia.kernel.errors import WanjiaError


class PersonNotInVault(WanjiaError):
    """Nobody of that id is in the register now."""

    code = "PRIVACY-001"
    zh = "登记中没有该编号的人员。请核对编号；该人可能已被合并或撤回。"
    en = "No person of that id is in the register. Check the id; the person may have been merged or withdrawn."
    exit_code = 2


class DossierUnreadable(WanjiaError):
    """A vault entry opened, but its content is not a dossier this version can read."""

    code = "PRIVACY-002"
    zh = "卷宗格式 {form} 无法识别。请升级到较新版本后再试。"
    en = "The dossier has the form {form}, which this version cannot read. Upgrade, then try again."
