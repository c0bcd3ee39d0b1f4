"""The auditor's pages: the trace, the public log, alerts, incidents, reviews, sealed reads."""

from wanjia.web.auditor.pages import log, oversight, seals, trace

__all__ = ["log", "oversight", "seals", "trace"]
