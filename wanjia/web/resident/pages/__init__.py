"""The residents' pages: the start, the own record, who looked, requests."""

from wanjia.web.resident.pages import looks, record, requests

__all__ = ["looks", "record", "requests"]
