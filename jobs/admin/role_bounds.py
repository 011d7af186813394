"""The limits of a role, on its page: what it may give away by itself, and for what nobody has set one yet."""

from collections.abc import Iterator
from decimal import Decimal
from urllib.parse import urlencode

from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from backoffice.lib.admin import display
from backoffice.lib.registry import RoleBounds, role_bounds
from backoffice.lib.work import LimitedVerb, approvable_verbs, limited_verbs
from jobs.models import RoleLimit


def register() -> None:
    """Called once, with the other offers of this app."""
    role_bounds.register(RoleBounds(key="limits", shown=shown, caution=caution))


def shown(group_id: int) -> SafeString:
    """A line for each act with limits that the role may do."""
    limits = _limits(group_id)
    lines = ((verb.label, _told(verb, limits.get(verb.key), group_id)) for verb in _may(group_id))
    return format_html_join("", "<div>{}: {}</div>", lines) or display.absent("nothing that is bounded")


def caution(group_id: int) -> str:
    """For which acts the role has no limit."""
    limits = _limits(group_id)
    unbound = [verb.label for verb in _may(group_id) if verb.key not in limits]
    return f"Without any limit: {', '.join(unbound)}. Set limits for this role under Limits." if unbound else ""


def _may(group_id: int) -> Iterator[LimitedVerb]:
    held = Permission.objects.filter(group=group_id).values_list("content_type__app_label", "codename")
    names = {f"{app}.{codename}" for app, codename in held}
    for verb in limited_verbs:
        act = approvable_verbs.get(verb.key)
        if act is not None and act.permission in names:
            yield verb


def _limits(group_id: int) -> dict[str, RoleLimit]:
    return {limit.verb: limit for limit in RoleLimit.objects.filter(group=group_id)}


def _told(verb: LimitedVerb, limit: RoleLimit | None, group_id: int) -> SafeString:
    if limit is None:
        add = f"{reverse('admin:jobs_rolelimit_add')}?{urlencode({'group': group_id, 'verb': verb.key})}"
        return format_html("{} {}", display.badge("no limit", "warn"), display.link(add, "Set one"))
    told = f"{_amount(verb, limit.per_act)} in one act, {_amount(verb, limit.per_day)} in a day"
    return format_html("{}", display.link(reverse("admin:jobs_rolelimit_change", args=[limit.pk]), told))


def _amount(verb: LimitedVerb, amount: Decimal | None) -> str:
    return "any amount" if amount is None else verb.format(amount)
