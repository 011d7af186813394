"""The tags and filters of our templates; they are built in, so no template has to load them."""

from typing import Any

import structlog
from django import template
from django.contrib.admin.templatetags import admin_list
from django.forms import BoundField
from django.template.context import Context
from django.utils.safestring import SafeString

from backoffice.lib import browsers
from backoffice.lib.admin import diffs, display
from backoffice.lib.admin.changelist import KeysetChangeList
from backoffice.lib.admin.confirm import undo_url_of

register = template.Library()

# What a cookie may say of the look, the default first.
PREFERENCES = {
    "theme": ("auto", "light", "dark"),
    "density": ("comfortable", "compact"),
    "sidebar": ("open", "collapsed"),
}
# How the display helpers begin a figure: columns made of them stand right-aligned too.
FIGURE = '<span class="figure'

register.simple_tag(display.icon, name="icon")
register.simple_tag(display.money, name="money")
register.simple_tag(display.badge, name="badge")
register.simple_tag(display.avatar, name="avatar")
register.filter("credits", display.credits)
register.filter("credit_change", display.change)
register.filter("balance", display.balance)
register.filter("number", display.number)
register.filter("moment", display.moment)
register.filter("expiry", display.expiry)
register.filter("copyable", display.copyable)
register.filter("json_block", display.json_block)
register.filter("browser", browsers.describe)
register.simple_tag(diffs.diff, name="diff")


register.filter("undo_url", undo_url_of)


@register.filter
def given(field: BoundField) -> Any:
    """What a field of a form was given, in words: of a choice its label."""
    value = field.value()
    choices = dict(getattr(field.field, "choices", ()))
    return choices.get(value, value)


@register.simple_tag(name="credits")
def credits_tag(amount: Any) -> SafeString:
    """``{% credits amount %}``, beside the filter of this name."""
    return display.credits(amount)


@register.simple_tag(name="moment")
def moment_tag(at: Any) -> SafeString:
    """``{% moment at %}``, beside the filter of this name."""
    return display.moment(at)


@register.simple_tag(takes_context=True)
def preference(context: Context, name: str) -> str:
    """What the reader chose of the look; the default without a request, such as on the page of a server error."""
    choices = PREFERENCES[name]
    request = context.get("request")
    chosen = request.COOKIES.get(name, "") if request else ""
    return chosen if chosen in choices else choices[0]


@register.simple_tag
def request_id() -> str:
    """The request's id as log lines carry it; empty outside of a request. The page of a server error has no context."""
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))


@register.inclusion_tag("admin/change_list_results.html")
def result_table(changelist: KeysetChangeList) -> dict[str, Any]:
    """The stock admin's table, told which columns hold figures."""
    context: dict[str, Any] = admin_list.result_list(changelist)
    numeric = [
        changelist.is_numeric(name) or any(FIGURE in row[index] for row in context["results"])
        for index, name in enumerate(changelist.list_display)
    ]
    for index, header in enumerate(context["result_headers"]):
        header["numeric"] = numeric[index]
        header["url_sort"] = changelist.sort_url(index) if header["sortable"] else None
    rows = [_aligned(row, numeric) for row in context["results"]]
    return {**context, "results": rows}


def _aligned(cells: Any, numeric: list[bool]) -> list[SafeString]:
    return [
        SafeString(cell.replace('class="', 'class="numeric ', 1)) if is_numeric else cell
        for cell, is_numeric in zip(cells, numeric, strict=True)
    ]
