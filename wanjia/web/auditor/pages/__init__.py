"""The auditor's pages: the trace, alerts, incidents, reviews."""

from wanjia.web.auditor.pages import oversight, trace

__all__ = ["oversight", "trace"]
