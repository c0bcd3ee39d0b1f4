"""Small things templates need: icons, counts, ratios, bars, the current address with one change."""

from collections.abc import Iterable
from typing import Any

from django import template
from django.forms import BoundField
from django.http import QueryDict
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from wanjia.web.labels import grouped

register = template.Library()


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """An icon of the sprite; without a label it is decoration and hidden from screen readers."""
    address = f"{static('parts/icons.svg')}#{name}"
    if label:
        return format_html('<svg class="icon" role="img" aria-label="{}"><use href="{}"></use></svg>', label, address)
    return format_html('<svg class="icon" aria-hidden="true" focusable="false"><use href="{}"></use></svg>', address)


@register.simple_tag
def control(field: BoundField) -> SafeString:
    """A form's field in the house's look, tied to its mistake for screen readers."""
    kind = "form-select" if field.widget_type == "select" else "form-control"
    attributes = {"class": kind, "placeholder": ""}
    if field.errors:
        attributes |= {"aria-invalid": "true", "aria-describedby": f"{field.id_for_label}-wrong"}
    return field.as_widget(attrs=attributes)


@register.simple_tag
def plain_control(field: BoundField) -> SafeString:
    """A form's field in the residents' look, tied to its hint and its mistake for screen readers."""
    kind = {
        "select": "govuk-select",
        "textarea": "govuk-textarea",
        "clearablefile": "govuk-file-upload",
        "file": "govuk-file-upload",
    }
    told = [f"{field.id_for_label}-hint"] if field.help_text else []
    told += [f"{field.id_for_label}-wrong"] if field.errors else []
    attributes = {"class": kind.get(field.widget_type, "govuk-input"), "placeholder": ""}
    if told:
        attributes["aria-describedby"] = " ".join(told)
    if field.errors:
        attributes |= {"aria-invalid": "true", "class": f"{attributes['class']} {attributes['class']}--error"}
    return field.as_widget(attrs=attributes)


@register.filter
def count(value: Any) -> str:
    """A whole number with separators; – when unknown."""
    return "–" if value is None else grouped(int(value))


@register.filter
def percent(value: Any, digits: int = 1) -> str:
    """A ratio as a percentage, rounded down when it would otherwise read 100 % without being it; – when unknown."""
    if value is None:
        return "–"
    ratio = float(value)
    shown = f"{ratio * 100:.{digits}f}"
    if ratio < 1 and shown == f"{100:.{digits}f}":
        shown = f"{100 - 10**-digits:.{digits}f}"
    return f"{shown}%"


@register.filter
def seconds(value: Any) -> str:
    """A duration in seconds, minutes from two minutes on."""
    if value is None:
        return "–"
    length = float(value)
    return f"{length:.1f} s" if length < 120 else f"{int(length // 60)} min {int(length % 60):02d} s"


@register.simple_tag
def bar(value: Any, whole: Any, tone: str = "") -> SafeString:
    """A quiet bar of value ÷ whole beside a number that says the same; SVG attributes, because inline style is forbidden."""
    share = 0.0 if not whole or value is None else max(0.0, min(float(value) / float(whole), 1.0))
    width = f"{share * 100:.2f}"
    return format_html(
        '<svg class="bar {}" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        '<rect class="bar-whole" width="100" height="4"></rect>'
        '<rect class="bar-part" width="{}" height="4"></rect></svg>',
        tone,
        width,
    )


@register.simple_tag(takes_context=True)
def address_with(context: template.Context, **changes: Any) -> str:
    """The query of this page with `changes` applied (None or "" removes a key), for pages, sorting and filters."""
    query: QueryDict = context["request"].GET.copy()
    for key, value in changes.items():
        if value in (None, ""):
            query.pop(key, None)
        else:
            query[key] = str(value)
    return f"?{query.urlencode()}"


@register.filter
def listed(words: Iterable[Any]) -> str:
    """Words in a row, with the comma of the user's language."""
    return (", " if get_language() == "en" else "、").join(map(str, words))


@register.filter
def lookup(mapping: dict, key: Any) -> Any:
    """mapping[key], or the key itself: codes without a word are shown as they are."""
    return mapping.get(key, key)
