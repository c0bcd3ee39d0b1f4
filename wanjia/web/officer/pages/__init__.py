"""The officer's pages: finding, persons, documents, emergencies; those of corrections are beside this folder."""

from wanjia.web.officer import corrections
from wanjia.web.officer.pages import documents, finding, person, urgent

__all__ = ["corrections", "documents", "finding", "person", "urgent"]
