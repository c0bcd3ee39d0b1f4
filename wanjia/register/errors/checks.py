"""What the named checks of events object to: each stands at the field it is about."""

from wanjia.register.errors.fields import FieldError


class DaysOutOfOrder(FieldError):
    """Something is said to have happened before what must come first."""

    code = "REGISTER-C01"
    zh = "日期早于“{first_zh}”。请核对。"
    en = "The day lies before “{first_en}”. Check it."


class ParentAgeUnlikely(FieldError):
    """No mother or father is that young, or no mother that old."""

    code = "REGISTER-C02"
    zh = "与子女年龄相差 {years} 岁，不在 {least} 至 {most} 岁之间。请核对双方出生日期。"
    en = "{years} years between parent and child, not {least} to {most}. Check both days of birth."


class AlreadyMarried(FieldError):
    """Somebody is married to one person at a time."""

    code = "REGISTER-C03"
    zh = "此人在该日已有配偶。请先办理离婚或丧偶登记。"
    en = "This person had a spouse on that day. Register the divorce or the death first."


class NotMarriedTogether(FieldError):
    """A divorce of two who are not married to each other."""

    code = "REGISTER-C04"
    zh = "登记中这两人不是配偶关系。请核对当事人。"
    en = "In the register these two are not married to each other. Check who they are."


class PersonNotLiving(FieldError):
    """After death nothing but corrections is registered."""

    code = "REGISTER-C05"
    zh = "此人已登记死亡。除更正外，不能再办理事项。"
    en = "This person is registered as dead. Nothing but corrections can be registered."


class ParentSexWrong(FieldError):
    """A mother who is registered as a man, or the reverse."""

    code = "REGISTER-C06"
    zh = "登记的性别与身份不符。请核对人员。"
    en = "The registered sex does not fit. Check the person."


class StillDomiciled(FieldError):
    """A move-in of somebody who is still registered elsewhere: the move-out is missing."""

    code = "REGISTER-C07"
    zh = "此人户口仍登记在另一处，尚未迁出。请先由迁出地办理迁出。"
    en = "This person is still registered elsewhere. The move-out comes first, at the place of origin."


class NotDomiciled(FieldError):
    """Somebody without a place in a household cannot leave one."""

    code = "REGISTER-C08"
    zh = "此人现无户口可办理该事项。"
    en = "This person has no registered domicile for this."


class AgeOutside(FieldError):
    """Too young or too old for what is declared."""

    code = "REGISTER-C09"
    zh = "年龄（{years} 岁）不符合此事项的要求（{least} 至 {most} 岁）。"
    en = "The age ({years}) is outside what this asks for ({least} to {most})."


class HeadNotSucceeded(FieldError):
    """A head leaves and others stay: somebody must be head."""

    code = "REGISTER-C10"
    zh = "此人是户主，户内还有其他成员。请选择新户主。"
    en = "This person is head of a household that has other members. Choose the next head."


class RelationsIncomplete(FieldError):
    """The relation to the new head is not said of every member."""

    code = "REGISTER-C11"
    zh = "还有 {count} 名成员未填写与新户主的关系。"
    en = "{count} members have no relation to the new head yet."


class SamePersonTwice(FieldError):
    """One person in two parts that exclude each other."""

    code = "REGISTER-C12"
    zh = "同一人不能同时担任这两种身份。"
    en = "One person cannot play both these parts."


class NumberTaken(FieldError):
    """Somebody in the register holds this number."""

    code = "REGISTER-C13"
    zh = "登记中已有人持有该号码。请先核查重号。"
    en = "Somebody in the register holds this number. Look into the duplicate first."


class NotOfHousehold(FieldError):
    """Not a member of the household this is about."""

    code = "REGISTER-C14"
    zh = "此人不是该户成员。"
    en = "This person is not a member of the household."


class OthersExpected(FieldError):
    """Nobody would be left, or nobody would go."""

    code = "REGISTER-C15"
    zh = "分户后原户须有成员。"
    en = "After a split the old household must keep a member."


class BornTwice(FieldError):
    """The mother has a child with a birth so near that the two can be neither twins nor siblings."""

    code = "REGISTER-C16"
    zh = "母亲在 {days} 天前后已登记另一次生育。若为多胞胎，请核对出生日期。"
    en = "The mother has another birth {days} days apart. For twins, check the days of birth."


class NumberAgainstForm(FieldError):
    """The number says another birth day or sex than the form."""

    code = "REGISTER-C17"
    zh = "号码中的出生日期或性别与填写内容不符。"
    en = "The number says another day of birth or sex than the form."


class AlreadyRelated(FieldError):
    """There is such a parent already."""

    code = "REGISTER-C18"
    zh = "登记中此人已有{kind_zh}。请先办理更正或解除。"
    en = "This person has a {kind_en} in the register already. Correct or end that first."


class NotCancelled(FieldError):
    """Nothing to restore: the registration stands."""

    code = "REGISTER-C19"
    zh = "此人的户口未被注销，无需恢复。"
    en = "This person's registration is not cancelled; there is nothing to restore."


class PairMissing(FieldError):
    """The other half of a pair of events is missing, or was used."""

    code = "REGISTER-C20"
    zh = "没有可对应的{kind_zh}事项，或已被使用。"
    en = "There is no registered {kind_en} to go with, or it was used."


class NotInCollective(FieldError):
    """Not the right household."""

    code = "REGISTER-C21"
    zh = "不能选择同一户。"
    en = "It cannot be the same household."


class TooSoon(FieldError):
    """A time the law asks for has not passed."""

    code = "REGISTER-C22"
    zh = "自“{first_zh}”起未满 {days} 天。"
    en = "{days} days since “{first_en}” have not passed."


class ProtectedNotMerged(FieldError):
    """A protection order stands over one of the two."""

    code = "REGISTER-C23"
    zh = "其中一人受保护，不能在此合并。请交由主管按保护规定处理。"
    en = "One of the two is under a protection order and cannot be merged here. Hand it to whoever keeps the order."


class TwoSoundNumbers(FieldError):
    """Two citizen numbers that are both right belong to two persons, until one of them is corrected."""

    code = "REGISTER-C24"
    zh = "两人各有一个有效且不同的公民身份号码。若确为同一人，请先更正其中一个号码。"
    en = "Each of the two has a sound citizen number, and they differ. If this is one person, correct one of the numbers first."


class CasesOpen(FieldError):
    """Somebody is at work on one of the two."""

    code = "REGISTER-C25"
    zh = "涉及其中一人的 {count} 个事项尚未办结（{numbers}）。请先办结或撤回。"
    en = "{count} cases about one of the two are open ({numbers}). Finish or withdraw them first."


class OneIsDead(FieldError):
    """One is registered as dead, the other is not."""

    code = "REGISTER-C26"
    zh = "其中一人已登记死亡，另一人没有。请先核实并办理死亡登记或更正。"
    en = "One of the two is registered as dead and the other is not. Register the death, or correct it, first."


class RelatedToEachOther(FieldError):
    """The register holds the two as relatives of one another."""

    code = "REGISTER-C27"
    zh = "登记中这两人互为配偶或父母子女，不能是同一人。请先更正亲属关系。"
    en = "In the register these two are spouses, or parent and child. Correct that first, or leave them apart."


class TwoSpouses(FieldError):
    """Each is married, to different persons."""

    code = "REGISTER-C28"
    zh = "两人各有不同的配偶。请先核实婚姻登记。"
    en = "Each of the two is married, to different persons. Look into the marriages first."


class HouseholdNotChosen(FieldError):
    """Both belong to a household; one person belongs to one."""

    code = "REGISTER-C29"
    zh = "两人分属两户。请选择保留哪一户。"
    en = "The two belong to different households. Choose which one stays."


class NothingToUndo(FieldError):
    """No standing event of the right kind, about this person, has that number."""

    code = "REGISTER-C30"
    zh = "没有该编号的、涉及此人且有效的合并。请核对事项编号。"
    en = "No standing merge of that number is about this person. Check the case number."
