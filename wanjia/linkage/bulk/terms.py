"""How often each value of a feature occurs: a rare name that agrees says more than a common one."""

from wanjia.linkage.adapters.workspace import Workspace
from wanjia.linkage.bulk import kinds
from wanjia.linkage.declared import Linkage


def make_terms(work: Workspace, linkage: Linkage, *, nodes: str) -> dict[str, float]:
    """Make `lk_tf_<feature>` (term, share) of values that occur more than once; returns the share of the rarest value, per feature."""
    rarest = {}
    for feature in linkage.features:
        if not feature.rarity:
            continue
        c = kinds.column(feature.key)
        total = work.rows(f"SELECT count({c}) FROM {nodes}")[0][0]
        rarest[feature.key] = 1.0 / max(total, 1)
        work.make(
            f"lk_tf_{feature.key}",
            f"SELECT {c} AS term, CAST(count(*) AS DOUBLE) / {max(total, 1)} AS share FROM {nodes}"
            f" WHERE {c} IS NOT NULL GROUP BY {c} HAVING count(*) > 1",
        )
    return rarest
