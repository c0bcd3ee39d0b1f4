"""The door of the residents' services."""

from wanjia.services.api.looks import Looks, Month, looks, months, receipt

__all__ = ["Looks", "Month", "looks", "months", "receipt"]
