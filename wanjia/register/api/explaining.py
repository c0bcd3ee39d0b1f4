"""Why a person's value is believed: the winning statement, the rule it won by, who agrees, what lost. Reads a dossier, opens nothing."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from wanjia.privacy.api import Dossier, Statement
from wanjia.register.rules import RULE_NAMES, DeclaredElement, tag_of, value_columns


@dataclass(frozen=True)
class Belief:
    """One value that holds, and what it rests on. `winner` is None for an average, which no single record states."""

    element: str
    column: str
    value: str
    rule: str
    winner: Statement | None
    agreeing: list[Statement] = field(default_factory=list)
    losing: list[tuple[str, Statement]] = field(default_factory=list)


def beliefs(dossier: Dossier, elements: Iterable[DeclaredElement]) -> list[Belief]:
    """Every value of the dossier with its provenance, in the order of the declared elements."""
    found = []
    for element in elements:
        columns = value_columns(element)
        for column in columns:
            tag = tag_of(element) if len(columns) == 1 else f"{tag_of(element)}/{column}"
            value = dossier.value(tag)
            if value is None:
                continue
            choice = dossier.choices[tag.partition("/")[0]]
            winner = dossier.statements[choice.statement] if choice.value is None else None
            others = [s for s in dossier.statements if s is not winner and tag in s.values]
            found.append(
                Belief(
                    element=element.key,
                    column=column,
                    value=value,
                    rule=RULE_NAMES.get(choice.rule, choice.rule),
                    winner=winner,
                    agreeing=[s for s in others if s.values[tag] == value],
                    losing=[(s.values[tag], s) for s in others if s.values[tag] != value],
                )
            )
    return found


def statements_about(dossier: Dossier, elements: Iterable[DeclaredElement]) -> list[tuple[str, str, Statement]]:
    """(column, value, statement) of all that is said of these elements, in their order, whether or not it holds."""
    found = []
    for element in elements:
        columns = value_columns(element)
        for column in columns:
            tag = tag_of(element) if len(columns) == 1 else f"{tag_of(element)}/{column}"
            found += [(column, said.values[tag], said) for said in dossier.statements if tag in said.values]
    return found
