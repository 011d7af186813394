"""What this app offers to the rest of the house, under strings."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from accounts.models import Customer
from accounts.selectors import is_id
from backoffice.lib import clock, roles
from backoffice.lib.admin.home import News, NewsSource, news_sources
from backoffice.lib.hooks import hooks
from backoffice.lib.lives import Anonymiser, MergeStep, anonymisers, merge_steps
from backoffice.lib.registry import (
    CustomerPanel,
    NavigationItem,
    ResourceLink,
    customer_panels,
    navigation,
    resource_links,
)
from backoffice.lib.work import desk
from jobs import keeping, selectors, services
from jobs.admin import bulk_mail, prepare, role_bounds
from jobs.admin.decisions import SEE, state_badge, what
from jobs.badges import message_badge
from jobs.services import create_job, lives

SHOWN_MESSAGES = 6
# How many decisions whoever asked finds on the home page, and for how long.
SHOWN_DECISIONS, DECISIONS_ARE_NEWS = 5, timedelta(days=3)
SEE_MESSAGES, READ_MESSAGES = "jobs.view_outboxmessage", "jobs.read_message"
# What becomes of a request; what was asked for is frozen.
DECISION = ("state", "decided_by_id", "decided_at", "decision_reason", "outcome")


def register() -> None:
    """Called once, from ``AppConfig.ready()``."""
    roles.declare("jobs_approval", roles.TableGrant(update=DECISION))
    roles.declare("jobs_limituse", roles.TableGrant())
    roles.hide("jobs_outboxmessage", ("body", "payload", "recipient"))
    hooks.on("user_status_changed", "webhook", lambda *, change_id: services.tell_of_status_change(change_id))
    hooks.on("password_reset_requested", "webhook", lambda *, request_id: services.tell_of_reset_request(request_id))
    desk.open = prepare.begin
    desk.ask = _ask
    bulk_mail.register()
    news_sources.register(NewsSource(key="approvals", load=_decided))
    role_bounds.register()
    keeping.register()
    resource_links.register(ResourceLink(key=selectors.JOB, addresses=_pages_of_jobs, names=("undoes",)))
    _register_lives()
    _register_navigation()
    _register_panels()


def _register_lives() -> None:
    merge_steps.register(MergeStep(key="jobs", move=lives.move_messages, obstacles=lives.obstacles, order=5))
    anonymisers.register(
        Anonymiser(
            key="jobs",
            forget=lives.forget,
            obstacles=lives.about,
            erased={
                "jobs.OutboxMessage": ("recipient", "subject", "body", "payload", "last_error"),
                "jobs.Delivery": ("answer",),
            },
            kept={
                "jobs.OutboxMessage": "key and topic, by which a message is written once",
                "jobs.Job": "what staff had done to many; names nobody",
                "jobs.JobItem": "targets by id, and why one was refused",
                "jobs.Approval": "evidence of what staff asked for and decided; about customers by id",
                "jobs.RoleLimit": "limits of roles",
                "jobs.LimitUse": "evidence of what staff used of their limits, by id",
            },
            order=5,
        )
    )


def _register_navigation() -> None:
    navigation.register(
        NavigationItem(
            key="jobs",
            section="Customers",
            label="Jobs",
            url_name="admin:jobs_job_changelist",
            icon="queue",
            open_to=selectors.may_have_jobs,
            order=60,
        )
    )
    navigation.register(
        NavigationItem(
            key="approvals",
            section="Customers",
            label="Approvals",
            url_name="admin:jobs_approval_changelist",
            icon="gavel",
            permission=SEE,
            order=50,
            badge_for=selectors.count_waiting_for,
            badge_query="state=pending&whose=decide",
        )
    )
    navigation.register(
        NavigationItem(
            key="limits",
            section="Settings",
            label="Limits",
            url_name="admin:jobs_rolelimit_changelist",
            icon="gauge",
            permission="jobs.view_rolelimit",
            order=20,
        )
    )
    navigation.register(
        NavigationItem(
            key="messages",
            section="Health",
            label="Messages",
            url_name="admin:jobs_outboxmessage_changelist",
            icon="mail",
            permission=SEE_MESSAGES,
            order=20,
            badge=selectors.given_up,
            badge_query="state__exact=dead",
        )
    )


def _register_panels() -> None:
    customer_panels.register(
        CustomerPanel(
            key="messages",
            title="Messages",
            template="jobs/panels/messages.html",
            permission=SEE_MESSAGES,
            context=_messages,
            column="side",
            order=250,
            link=_all_messages,
        )
    )
    customer_panels.register(
        CustomerPanel(
            key="approvals",
            title="Waits for a second person",
            template="jobs/panels/approvals.html",
            permission=SEE,
            context=_pending,
            column="main",
            order=1,
        )
    )


def _decided(user: Any) -> list[News]:
    """What became of the reader's own requests."""
    decided = selectors.decided_lately(user, since=clock.now() - DECISIONS_ARE_NEWS)[:SHOWN_DECISIONS]
    return [
        News(
            text=f"{what(approval)}: {approval.decision_reason}" if approval.decision_reason else what(approval),
            url=reverse("admin:jobs_approval_change", args=[approval.pk]),
            badge=state_badge(approval),
            at=approval.decided_at,
        )
        for approval in decided
    ]


def _pending(request: HttpRequest, customer: Customer) -> dict[str, Any]:
    waiting = selectors.pending_about(resource_type="accounts.user", resource_id=str(customer.pk))
    return {"approvals": [(approval, what(approval)) for approval in waiting]}


def _messages(request: HttpRequest, customer: Customer) -> dict[str, Any]:
    latest = selectors.messages_about(customer.pk)[:SHOWN_MESSAGES]
    return {
        "messages_about": [(message, message_badge(message.state)) for message in latest],
        "may_read": request.user.has_perm(READ_MESSAGES),
    }


def _all_messages(customer: Customer) -> str:
    return f"{reverse('admin:jobs_outboxmessage_changelist')}?user__exact={customer.pk}"


def _ask(*, kind: str, actor: Any, params: Mapping[str, Any], token: str | None) -> str:
    job = create_job(kind=kind, actor=actor, params=params, token=token)
    return reverse("admin:jobs_job_change", args=[job.pk])


def _pages_of_jobs(user: Any, ids: Sequence[str]) -> dict[str, str]:
    """Those of the jobs that the reader may open, with their pages."""
    jobs = selectors.jobs_seen_by(user).filter(pk__in=[text for text in ids if is_id(text)])
    return {str(pk): reverse("admin:jobs_job_change", args=[pk]) for pk in jobs.values_list("pk", flat=True)}
