"""Why a written value did not become a standard one: stable codes, each with what happened and what to do."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Reason:
    """One reason. With `keeps_value` the value was taken all the same and the reason is a remark on it."""

    code: str
    zh: str
    en: str
    keeps_value: bool = False

    def sentence(self, lang: str = "en") -> str:
        """What happened and what to do, in `lang` ("en", or anything starting with "zh")."""
        return self.zh if lang.startswith("zh") else self.en


_ALL = (
    Reason(
        "ID_MALFORMED",
        "身份号码的位数或字符不对。请按证件原样填写15位或18位号码。",
        "The identity number has the wrong length or characters. Write the 15 or 18 characters as on the document.",
        keeps_value=True,
    ),
    Reason(
        "ID_CHECK_DIGIT",
        "身份号码的校验码不符，通常是抄错或调换了数字。请对照证件更正。",
        "The identity number fails its check digit; usually digits were mistyped or swapped. Correct it from the document.",
        keeps_value=True,
    ),
    Reason(
        "ID_DATE_IMPOSSIBLE",
        "身份号码中的出生日期不存在。请对照证件更正。",
        "The date of birth inside the identity number does not exist. Correct it from the document.",
        keeps_value=True,
    ),
    Reason(
        "ID_PREFIX_UNKNOWN",
        "身份号码前六位从未是区划代码。请对照证件更正。",
        "The first six digits of the identity number never were a division code. Correct it from the document.",
        keeps_value=True,
    ),
    Reason(
        "NAME_EMPTY",
        "姓名栏没有可用的文字。请填写登记姓名。",
        "The name holds no letters or characters. Write the registered name.",
    ),
    Reason(
        "NAME_MALFORMED",
        "姓名中有数字或符号。请填写登记姓名。",
        "The name holds digits or symbols. Write the registered name.",
        keeps_value=True,
    ),
    Reason(
        "NAME_CHARACTER_LOST",
        "姓名中有未能编码的字（？、□、*或自造字）。请按 GB 18030 补录该字。",
        "A character of the name was lost (?, □, * or a private code). Enter it again; GB 18030 has it.",
        keeps_value=True,
    ),
    Reason(
        "ADDRESS_EMPTY",
        "地址栏没有可用的文字。请填写地址。",
        "The address holds no letters or characters. Write the address.",
    ),
    Reason(
        "DATE_IMPOSSIBLE",
        "日期在历法上不存在或超出合理年份。请更正。",
        "The date is not in the calendar, or its year is out of range. Correct it.",
    ),
    Reason(
        "DATE_MALFORMED",
        "不能识别为日期。请写成 YYYYMMDD 或 YYYY-MM-DD。",
        "This cannot be read as a date. Write YYYYMMDD or YYYY-MM-DD.",
    ),
    Reason(
        "CODE_UNKNOWN",
        "不是代码集中的代码或名称。请改用标准代码，或在来源声明中登记本地写法。",
        "This is no code or name of the code set. Use a standard code, or declare the local spelling in the source's file.",
    ),
    Reason(
        "DIVISION_MALFORMED",
        "区划代码应为6、9或12位数字。请更正。",
        "A division code has 6, 9 or 12 digits. Correct it.",
    ),
    Reason(
        "DIVISION_UNKNOWN",
        "区划表中任何年代都没有此代码或名称（或名称不唯一）。请核对。",
        "No division of any year has this code or name, or several have this name. Check it.",
    ),
    Reason(
        "BOOLEAN_UNREADABLE",
        "不能识别为“是”或“否”。请写“是”或“否”。",
        "This is neither yes nor no. Write yes or no.",
    ),
    Reason("INTEGER_MALFORMED", "不是整数。请只写数字。", "This is not a whole number. Write digits only."),
    Reason(
        "INTEGER_OUT_OF_RANGE",
        "数值超出允许范围。请更正。",
        "The number is outside the allowed range. Correct it.",
    ),
    Reason(
        "ORGANISATION_CHECK_DIGIT",
        "统一社会信用代码的校验码不符。请对照登记证更正。",
        "The unified social credit code fails its check character. Correct it from the certificate.",
    ),
    Reason(
        "NUMBER_PATTERN",
        "编号的形式不对。请按证件原样填写。",
        "The number does not have the form it should. Write it as on the document.",
    ),
    Reason(
        "DISABILITY_NUMBER",
        "残疾人证号应为18位身份号码加类别、等级各一位。请对照证件更正。",
        "A disability certificate number is an identity number of 18 plus category and grade. Correct it from the certificate.",
    ),
)

REASONS: dict[str, Reason] = {reason.code: reason for reason in _ALL}
