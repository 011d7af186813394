"""``admin/users``: customers as a member of staff sees them by program, and shuts them out, within their permissions.

What other apps tell of a customer comes through a registry, so the router is made once all of them have registered.
"""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Path, Query, Router
from pydantic import BaseModel, Field, StringConstraints, create_model

from accounts import selectors, services
from accounts.authentication import AdminKey, ReadKey, require_permission
from accounts.errors import UnknownCustomer
from accounts.models import Customer, Status
from backoffice.lib.api.pagination import PageQuery, page_of
from backoffice.lib.api.responses import answers
from backoffice.lib.api.values import AmountOut, Body, Id, UtcTime
from backoffice.lib.money import major_units
from backoffice.lib.registry import customer_parts

SEE, BAN, SUSPEND = "accounts.view_customer", "accounts.ban_user", "accounts.suspend_user"
LATEST = 50
Text64 = Annotated[str, StringConstraints(max_length=64)]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=500)]
CustomerId = Path(..., min_length=1, max_length=254, description="Our id, the product's, or the email.")


class UsersQuery(PageQuery):
    """What narrows the list, all of it together."""

    status: Literal["active", "suspended", "banned"] | None = None
    plan: Text64 | None = None
    country: Text64 | None = None
    source: Text64 | None = None


class StaffUserOut(BaseModel):
    """`total_spent` is what they paid on balance, in units of the installation's reporting currency."""

    id: int
    external_id: str | None
    email: str
    role: Literal["customer"]
    status: str
    credits: AmountOut
    created_at: UtcTime
    total_generations: int
    total_spent: Annotated[str, Field(examples=["12.50"])]
    last_active: UtcTime | None


class UsersOut(BaseModel):
    users: list[StaffUserOut]
    next_cursor: str | None


class StaffUserDetailOut(StaffUserOut):
    full_name: str
    plan: str
    country: str
    signup_source: str
    demo_mode: bool
    status_reason: str
    status_until: UtcTime | None
    stripe_customer_id: str | None
    referral_code: str
    tags: list[str]


class WhyIn(Body):
    """Why it is done. The same `idempotency_key` again does nothing."""

    reason: Reason
    idempotency_key: Id | None = None


class ShutOutIn(WhyIn):
    until: Annotated[UtcTime | None, Field(description="It ends by itself then; until it is lifted unless told.")] = (
        None
    )


class StatusOut(BaseModel):
    """How the customer stands now. `changed` is false when they stood so already, or the key was used before."""

    id: int
    status: str
    until: UtcTime | None
    changed: bool


def router() -> Router:
    """The endpoints, with what every app tells of a customer in their description."""
    made = Router(tags=["Staff: customers"])
    made.get("", auth=ReadKey(), response=answers({200: UsersOut}), summary="Customers")(list_users)
    made.get("/{user}", auth=ReadKey(), response=answers({200: _whole()}, 404), summary="A customer, whole")(get_user)
    changed = answers({200: StatusOut}, 404, 409)
    made.post("/{user}/ban", auth=AdminKey(), response=changed, summary="Ban a customer")(ban)
    made.post("/{user}/suspend", auth=AdminKey(), response=changed, summary="Suspend a customer")(suspend)
    made.post("/{user}/unban", auth=AdminKey(), response=changed, summary="Let a customer in again")(unban)
    return made


def _whole() -> type[BaseModel]:
    """The answer about one customer: the person and a list for each part that an app tells of."""
    parts: dict[str, Any] = {part.key: (list[part.schema], ...) for part in customer_parts}  # type: ignore[name-defined]
    # Part of the answer from the start, and empty until an app tells of them.
    parts.setdefault("generations", (list[dict[str, Any]], ...))
    note = "Parts that the key's member of staff may not see; they are empty."
    parts["withheld"] = (Annotated[list[str], Field(description=note)], ...)
    return create_model("UserWholeOut", user=(StaffUserDetailOut, ...), **parts)


def list_users(request: HttpRequest, query: Annotated[UsersQuery, Query(...)]) -> Any:
    """Customers, the newest of ours first. `next_cursor` leads to older ones and is null at the end. Needs the
    permission to see customers."""
    require_permission(request, SEE)
    page = page_of(_narrowed(query), query, scope="users")
    return UsersOut(users=[StaffUserOut(**_shown(customer)) for customer in page.rows], next_cursor=page.next_cursor)


def get_user(request: HttpRequest, user: str = CustomerId) -> Any:
    """The person with their latest 50 entries, generations and payments. Needs the permission to see customers, and
    for each of these that of its own: what the member of staff may not see is empty and named in `withheld`."""
    reader = require_permission(request, SEE)
    customer = _customer(user)
    parts: dict[str, Any] = {"generations": []}
    withheld = [part.key for part in customer_parts if not reader.has_perm(part.permission)]
    for part in customer_parts:
        parts[part.key] = [] if part.key in withheld else part.read(customer.pk, LATEST)
    return {"user": _detail(customer), **parts, "withheld": withheld}


def ban(request: HttpRequest, body: ShutOutIn, user: str = CustomerId) -> Any:
    """Shuts the customer out until `until`, or until it is lifted: charges are refused at once. Needs the permission
    to ban."""
    return _changed(request, BAN, services.ban_customer, body, user, until=body.until)


def suspend(request: HttpRequest, body: ShutOutIn, user: str = CustomerId) -> Any:
    """Shuts the customer out for a while. One who is banned stays banned (`wrong_status`). Needs the permission to
    suspend."""
    return _changed(request, SUSPEND, services.suspend_customer, body, user, until=body.until)


def unban(request: HttpRequest, body: WhyIn, user: str = CustomerId) -> Any:
    """Lifts a ban or a suspension. Needs the permission of what it lifts."""
    if not request.user.has_perm(SUSPEND):
        # Asked before anybody is looked for: who may not act learns nothing of whom there is.
        require_permission(request, BAN)
    if _customer(user).status == Status.SUSPENDED:
        return _changed(request, SUSPEND, services.lift_suspension, body, user)
    return _changed(request, BAN, services.unban_customer, body, user)


def _changed(
    request: HttpRequest,
    permission: str,
    act: Callable[..., services.StatusOutcome],
    body: WhyIn,
    user: str,
    **more: Any,
) -> StatusOut:
    actor = require_permission(request, permission)
    # The person's and not the key's: what they asked for with one of their keys is not done again with another.
    key = f"admin:api:{actor.pk}:{body.idempotency_key}" if body.idempotency_key else None
    outcome = act(user_id=_customer(user).pk, reason=body.reason, actor=actor, source="api", key=key, **more)
    customer = outcome.customer
    changed = outcome.change is not None and not outcome.replayed
    return StatusOut(id=customer.pk, status=customer.status, until=customer.status_until, changed=changed)


def _customer(named: str) -> Customer:
    found = selectors.customer_of_staff(named)
    if found is None:
        raise UnknownCustomer(named)
    return found


def _narrowed(query: UsersQuery) -> QuerySet[Customer]:
    names = ("status", "plan", "country", "source")
    asked = {f"figures__{name}": value for name in names if (value := getattr(query, name)) is not None}
    return selectors.customer_list().filter(**asked)


def _shown(customer: Customer) -> dict[str, Any]:
    figures = customer.figures
    return {
        "id": customer.pk,
        "external_id": customer.external_id,
        "email": customer.email,
        "role": "customer",
        "status": customer.status,
        "credits": figures.balance,
        "created_at": customer.date_joined,
        "total_generations": figures.total_generations,
        "total_spent": str(major_units(figures.spend_minor, settings.REPORTING_CURRENCY)),
        "last_active": customer.last_active_at,
    }


def _detail(customer: Customer) -> dict[str, Any]:
    beside = StaffUserDetailOut.model_fields.keys() - StaffUserOut.model_fields.keys() - {"tags"}
    own = {name: getattr(customer, name) for name in beside}
    return {**_shown(customer), **own, "tags": [tag.name for tag in selectors.tags_of(user_id=customer.pk)]}
