"""The auditor's pages: the trace, alerts, incidents, reviews, sealed reads."""

from wanjia.web.auditor.pages import oversight, seals, trace

__all__ = ["oversight", "seals", "trace"]
