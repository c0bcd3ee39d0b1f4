"""Errors of documents. No personal value is ever in one: an element is named, never what stands in it."""

from wanjia.kernel.errors import WanjiaError


class KindUnknown(WanjiaError):
    """There is no such kind of document."""

    code = "DOCUMENTS-001"
    zh = "没有名为 {kind} 的证件种类。可选：{known}。"
    en = "There is no kind of document called {kind}. There are: {known}."
    exit_code = 2


class FactsMissing(WanjiaError):
    """The register lacks what the document must say."""

    code = "DOCUMENTS-002"
    zh = "登记中缺少：{zh_elements}。请先补登记，再签发。"
    en = "The register lacks: {en_elements}. Register it first, then issue."


class NotForThisPerson(WanjiaError):
    """The document is for the living, or for the dead, and the person is not."""

    code = "DOCUMENTS-003"
    zh = "此证件只签发给{zh_standing}的人员。请核对登记或改选证件种类。"
    en = "This document is issued for persons who are {en_standing} only. Check the register, or choose another kind."


class NoHousehold(WanjiaError):
    """The person belongs to no registered household, or the household has no head."""

    code = "DOCUMENTS-004"
    zh = "该人员不在任何户内，或该户没有户主。请先办理立户或变更户主。"
    en = "The person is in no registered household, or the household has no head. Set up the household or its head first."


class CannotBePrinted(WanjiaError):
    """A character of an element cannot be printed as it is written."""

    code = "DOCUMENTS-005"
    zh = "“{zh_element}”中有字符无法如实印出：{zh_why}"
    en = "A character in “{en_element}” cannot be printed as it is written: {en_why}"


class FontMissing(WanjiaError):
    """No font of the declared ones is on this machine."""

    code = "DOCUMENTS-006"
    zh = "本机没有所声明的字体（{families}）。请安装 noto-cjk-sans-otc，或将字体文件放入 WANJIA_FONTS 所指文件夹。"
    en = "No declared font ({families}) is on this machine. Install noto-cjk-sans-otc, or put font files into the folder WANJIA_FONTS names."


class AlreadyInForce(WanjiaError):
    """The holder has a valid document of this kind, and may have one only."""

    code = "DOCUMENTS-007"
    zh = "已有一份有效的同种证件（编号 {number}）。如遗失、损坏或登记已变，请对该证件办理补发。"
    en = "There is a valid document of this kind already (number {number}). If it is lost, damaged or outdated, reissue that one."


class DocumentUnknown(WanjiaError):
    """There is no document of that number that this account may handle."""

    code = "DOCUMENTS-008"
    zh = "没有此编号的证件，或不在您的权限之内。请核对编号。"
    en = "There is no document of this number, or it is not yours to handle. Check the number."
    exit_code = 2


class PrintsUsedUp(WanjiaError):
    """The document was printed as often as its kind allows."""

    code = "DOCUMENTS-009"
    zh = "该证件已打印 {most} 次，不可再打印。请办理补发。"
    en = "The document was printed {most} times, which is all its kind allows. Reissue it."


class NotNow(WanjiaError):
    """The document's state does not allow this step."""

    code = "DOCUMENTS-010"
    zh = "证件现为“{zh_state}”，不能执行此操作。"
    en = "The document is {en_state}; this cannot be done with it now."


class SecondPersonNeeded(WanjiaError):
    """Whoever asked for a revocation may not confirm it."""

    code = "DOCUMENTS-011"
    zh = "撤销须由另一人确认。请交由其他有权人员办理。"
    en = "A revocation is confirmed by somebody other than who asked for it. Ask a colleague who may."


class CannotBeRemade(WanjiaError):
    """The file made from the frozen content is not the one that was issued."""

    code = "DOCUMENTS-012"
    zh = "无法由定稿原样重制该证件：{zh_what}。证件本身不受影响；如需纸本，请办理补发。"
    en = "The document cannot be made again as it was: {en_what}. It counts as before; for a new print, reissue it."


class ContentErased(WanjiaError):
    """What the document said was erased by law."""

    code = "DOCUMENTS-013"
    zh = "该证件的内容已依法抹除，只保留编号与状态。"
    en = "What this document said was erased by law; only its number and state are kept."


class LayoutFails(WanjiaError):
    """A layout does not compile, or warns."""

    code = "DOCUMENTS-014"
    zh = "版式 {layout} 不能排版：{reason}。请修正 declared 下的版式文件。"
    en = "The layout {layout} cannot be set: {reason}. Correct the layout file under declared/."
    exit_code = 2
