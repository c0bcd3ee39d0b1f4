"""The officer's pages: finding, persons, emergencies; those of corrections are beside this folder."""

from wanjia.web.officer import corrections
from wanjia.web.officer.pages import finding, person, urgent

__all__ = ["corrections", "finding", "person", "urgent"]
