"""The officer's pages: finding, persons, merging, pairs, conflicts, documents, emergencies; those of cases and other days are beside this folder."""

from wanjia.web.officer import as_of, cases, choosing, corrections
from wanjia.web.officer.pages import conflicts, documents, finding, merging, pairs, person, urgent

__all__ = [
    "as_of", "cases", "choosing", "conflicts", "corrections", "documents", "finding", "merging", "pairs", "person", "urgent",
]  # fmt: skip
