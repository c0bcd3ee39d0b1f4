"""What the declared files of access may say: roles, purposes, field groups. Policies are Cedar text beside them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from wanjia.access.rules import PERSON_RIGHTS, Right
from wanjia.kernel.declared import Text, did_you_mean

Breach = tuple[str, str, str]


@dataclass(frozen=True)
class DeclaredRole:
    """What one kind of account may do. `rights` open pages and verbs; whether a person may be found or read is for the policies."""

    code: str
    name: Text
    meaning: Text
    rights: list[str] = field(default_factory=list)
    department: str = ""  # of the demo account
    reads_persons: bool = False
    is_administrator: bool = False
    is_resident: bool = False
    is_machine: bool = False

    @property
    def groups(self) -> list[str]:
        """The groups by which policies speak of roles."""
        return [
            name
            for name, belongs in (("registry", self.reads_persons), ("administrators", self.is_administrator))
            if belongs
        ]

    def check(self) -> Iterable[Breach]:
        """Rights are known; no administrator holds a right that leads to persons; the three kinds of account stay apart."""
        for right in self.rights:
            if right not in list(Right):
                near = did_you_mean(right, [str(known) for known in Right])
                yield (
                    f"rights.{right}",
                    f"is no right{f'; did you mean {near!r}?' if near else ''}",
                    f"没有这个权限{f'；是否应为 {near!r}？' if near else ''}",
                )
        if self.is_administrator and (wrong := sorted(set(self.rights) & PERSON_RIGHTS)):
            yield (
                "rights",
                f"an administrator reaches no person; take out {', '.join(wrong)}",
                f"管理员不得接触个人档案，请删去 {', '.join(wrong)}",
            )
        if sum((self.reads_persons, self.is_administrator, self.is_resident, self.is_machine)) > 1:
            yield (
                "is_administrator",
                "a role is one of registry, administrator, resident, machine",
                "登记、管理员、居民、机器四类角色不得兼任",
            )


@dataclass(frozen=True)
class Purpose:
    """For what a person may be read: who may state it and which groups of fields it needs. `about` row: of a quarantined row.

    `secrecy_law`: reads for this purpose would tell the person of somebody else's act (a will, a paper a spouse has asked for); under this law the
    person is told of them as a number for each month, once the month is over, and not of each one when it happens.
    """

    code: str
    name: Text
    roles: list[str]
    fields: list[str] = field(default_factory=list)
    law: str = ""
    about: Literal["person", "row"] = "person"
    is_urgent: bool = False
    is_own: bool = False
    secrecy_law: str = ""


@dataclass(frozen=True)
class FieldGroup:
    """Elements that are shown or hidden together; every element stands in one group."""

    IDENTITY: ClassVar[str] = "key"

    key: str
    name: Text
    elements: list[str]
    is_protected: bool = False
