"""Counts over all rows that a scorecard needs, by the engine."""

from ibis.expr.types import Table


def misfits(assertions: Table, value_issues: Table) -> Table:
    """(source, element, misfits): values that were given but did not fit their element, so that the assertion holds none."""
    issues = value_issues.select("assertion_id", "element")
    rows = issues.inner_join(assertions.select("assertion_id", "source"), "assertion_id")
    return rows.group_by(["source", "element"]).aggregate(misfits=rows.count())


def contradicted(findings: Table) -> Table:
    """(source, element, contradicted): assertions that a cross-check objects to."""
    return (
        findings.filter(findings.assertion_id.notnull())
        .group_by(["source", "element"])
        .aggregate(contradicted=lambda t: t.assertion_id.nunique())
    )
