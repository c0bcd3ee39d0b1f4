"""What the residents' services refuse, in words a resident can act on."""

from wanjia.kernel.errors import WanjiaError


class LookUnknown(WanjiaError):
    """No entry of this number is about the person, or it may not be told one by one. The two are not told apart."""

    code = "SERVICES-001"
    zh = "没有这条查阅记录，或它不能单独告知。请从“谁查阅过我”中选择。"
    en = "There is no such look, or it may not be told by itself. Choose one from “Who looked”."
