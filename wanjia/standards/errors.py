"""The errors of the standards context."""

from wanjia.kernel.errors import WanjiaError


class UnknownElement(WanjiaError):
    """A name is used for an element or part that the profile does not declare."""

    code = "STANDARDS-001"
    zh = "标准中没有数据元 {key}{near_zh}。请在 elements 文件夹中声明，或改正名称。"
    en = "The profile declares no element {key!r}{near_en}. Declare it in the folder 'elements', or correct the name."
    exit_code = 2


class UnknownDivision(WanjiaError):
    """A division code that the table has never held."""

    code = "STANDARDS-002"
    zh = "区划代码 {code} 不在区划表中（任何年代均无）。请核对代码。"
    en = "The division code {code} is not in the table, in any year. Check the code."


class UnknownCodeSet(WanjiaError):
    """A name is used for a code set that the profile does not declare."""

    code = "STANDARDS-003"
    zh = "标准中没有代码集 {key}。请在 codes 文件夹中声明，或改正名称。"
    en = "The profile declares no code set {key!r}. Declare it in the folder 'codes', or correct the name."
    exit_code = 2


class UnknownUse(WanjiaError):
    """A division code is used in a way for which no anchor day is declared."""

    code = "STANDARDS-004"
    zh = "divisions/anchors.toml 未声明区划用途 {use}{near_zh}。请写明该处代码按哪一天理解。"
    en = "divisions/anchors.toml declares no use {use!r}{near_en}. Say by which day codes are read there."
    exit_code = 2
