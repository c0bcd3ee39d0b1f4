"""Who keeps the request that a case carries out is told of each of its steps.

A context above that keeps requests declares `case_moved` in its api: it is called in the transaction of the step, so that the two never say
different things.
"""

import importlib
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.apps import apps

from wanjia.access.models import Account
from wanjia.register.api.casework import opened, people_in
from wanjia.register.api.declaring import event_book
from wanjia.register.models import Event


@dataclass(frozen=True)
class CaseMoved:
    """A step of a case that carries out a request: where it stands, about whom it is, and, only while it counts, what it put into the register
    (column of the profile → value).
    """

    event: int
    request: int
    counts: bool
    is_open: bool
    people: tuple[int, ...]
    said: Mapping[str, str]
    by: Account


def tell_followers(event: Event, officer: Account) -> None:
    """Tell those who keep the request, if the case carries one out, that it has taken a step."""
    if event.request is None:
        return
    status = event_book().lifecycle.status(event.status)
    moved = CaseMoved(
        event.pk, event.request, status.counts, status.is_open, tuple(people_in(event)), _said(event) if status.counts else {}, officer
    )  # fmt: skip
    for module in _followers():
        importlib.import_module(module).case_moved(moved)


def _said(event: Event) -> dict[str, str]:
    fields = event_book().kind(event.kind).fields
    values: Mapping[str, Any] = opened(event)["judged"]["values"]
    return {one.element: str(values[key]) for key, one in fields.items() if one.element and values.get(key) is not None}


@lru_cache(maxsize=1)
def _followers() -> tuple[str, ...]:
    names = [f"{config.name}.api" for config in apps.get_app_configs() if config.name.startswith("wanjia.")]
    found = [name for name in names if importlib.util.find_spec(name)]
    return tuple(name for name in found if hasattr(importlib.import_module(name), "case_moved"))
