"""Which series of years an address asks for: the same words for pages and programs."""

from datetime import date
from typing import Any

from django.utils.translation import gettext_lazy

from wanjia.kernel import clock
from wanjia.register import api
from wanjia.web.listing import whole_number

BASES = {"residence": gettext_lazy("Living here"), "domicile": gettext_lazy("Registered here")}


def asked_series(query: Any) -> dict[str, Any]:
    """The keywords of `restated_series` that an address asks for; what is not understood is left out."""
    asked: dict[str, Any] = {}
    area, basis = query.get("area"), query.get("by", "residence")
    asked["within"] = api.whole_area() if area is None else area[:12] if area.isascii() and area.isdigit() else ""
    asked["basis"] = basis if basis in BASES else "residence"
    try:
        asked["divisions_on"] = date.fromisoformat(query["divisions_on"])
    except (KeyError, ValueError):
        asked["divisions_on"] = clock.today()
    first, last = whole_number(query.get("from", ""), digits=4), whole_number(query.get("to", ""), digits=4)
    asked["years"] = (first or 0, last or 9999)
    return asked
