"""Errors of the register."""

from wanjia.kernel.errors import WanjiaError
from wanjia.register.errors.cases import (
    CaseMovedOn,
    CaseUnknown,
    DeciderNotAllowed,
    DeskElsewhere,
    FormRefused,
    HouseholdWouldBreak,
    KeyOfAnotherCase,
    KindUnknown,
    LaterEventStands,
    MoveNotAllowed,
    NumbersUsedUp,
    ReasonMissing,
    RegisterBusy,
    SameEyes,
    SubjectGone,
)
from wanjia.register.errors.fields import FieldError

__all__ = [
    "CaseMovedOn", "CaseUnknown", "DeciderNotAllowed", "DeskElsewhere", "FewTooMany", "FieldError", "FormRefused", "HouseholdWouldBreak",
    "KeyOfAnotherCase",
    "KindUnknown", "LaterEventStands", "LinksNotUnique", "MoveNotAllowed", "NumbersUsedUp", "PersonStillStated", "PersonUnknown",
    "ReasonMissing", "RebuildDiffers", "RegisterBusy", "SameEyes", "SubjectGone",
]  # fmt: skip


class LinksNotUnique(WanjiaError):
    """An assertion is linked to more than one person; nothing was loaded."""

    code = "REGISTER-001"
    zh = "有 {count} 条主张关联到多于一人，未装载任何数据。请重新运行关联步骤。"
    en = "{count} assertions are linked to more than one person; nothing was loaded. Run the linkage again."


class PersonUnknown(WanjiaError):
    """The register holds nobody of that id at the time asked for."""

    code = "REGISTER-002"
    zh = "在所询问的时点，登记中没有该编号的人员。请核对编号和日期。"
    en = "At the time asked for, the register holds no person of that id. Check the id and the dates."
    exit_code = 2


class RebuildDiffers(WanjiaError):
    """The state computed anew is not the state that was kept."""

    code = "REGISTER-003"
    zh = "由历史重建的登记现状与保存的不一致（{before} ≠ {after}）。请保留现场并报告。"
    en = "The state rebuilt from history differs from the one kept ({before} ≠ {after}). Keep everything as it is and report it."
    exit_code = 4


class FewTooMany(WanjiaError):
    """The fast lane was given more people than it is made for."""

    code = "REGISTER-004"
    zh = "快速通道一次最多处理 {limit} 人，收到 {count} 人。请改用整批处理。"
    en = "The fast lane takes {limit} people at a time and was given {count}. Use the bulk lane."


class PersonStillStated(WanjiaError):
    """An active record still speaks of the person."""

    code = "REGISTER-005"
    zh = "仍有有效记录涉及该人员，不能抹除其登记事实。请先抹除记录并重新运行主任务。"
    en = "An active record still speaks of this person, so the facts cannot be erased. Erase the records and run the main job first."
