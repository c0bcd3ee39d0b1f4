"""The residents' pages: the start, the own record, who looked, requests."""

from wanjia.web.resident.pages import record

__all__ = ["record"]
