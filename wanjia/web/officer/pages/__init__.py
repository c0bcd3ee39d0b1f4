"""The officer's pages: finding, persons, merging, pairs, documents, emergencies; those of cases and other days are beside this folder."""

from wanjia.web.officer import as_of, cases, choosing, corrections
from wanjia.web.officer.pages import documents, finding, merging, pairs, person, urgent

__all__ = ["as_of", "cases", "choosing", "corrections", "documents", "finding", "merging", "pairs", "person", "urgent"]
