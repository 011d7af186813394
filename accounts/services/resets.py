"""New passwords for customers, who log in to the product and hardly ever here."""

from dataclasses import dataclass

from django.db import transaction

from accounts.errors import ReasonRefused, WrongStatus
from accounts.models import Customer, PasswordResetRequest, ResetWay, User
from accounts.services.living import living_customer
from audit.actions import Action
from audit.services import WITHHELD, Resource, record
from backoffice.lib.hooks import hooks
from backoffice.lib.nudge import nudge

# Fired with the id of the request; who listens and misses it finds the row.
RESET_REQUESTED = "password_reset_requested"
MAIL_LINK = "accounts.tasks.mail_customer_reset_link"


@dataclass(frozen=True)
class ResetOutcome:
    """The request, and whether it had been made before, under the same key."""

    request: PasswordResetRequest
    replayed: bool = False


def way_for(customer: User) -> ResetWay:
    """How a customer comes to a new password. Raises WrongStatus when there is no way."""
    if customer.has_usable_password():
        return ResetWay.MAIL
    if not customer.external_id:
        raise WrongStatus("The product does not know this customer, so nobody could ask them for a new password.")
    return ResetWay.PRODUCT


@transaction.atomic
def request_password_reset(*, user_id: int, reason: str, actor: User, key: str, origin: str) -> ResetOutcome:
    """Have a customer asked for a new password: by the product, or by a mail of ours when they log in here.

    Nothing about the password is told to anybody, and the old one goes on until they choose another. ``origin`` is
    where we are reached, for the link in the mail. The same ``key`` again does nothing. Raises UnknownCustomer,
    CustomerRetired, ReasonRefused, WrongStatus (shut out, no way, or the key is another's).
    """
    if not reason.strip():
        raise ReasonRefused("Say why: the reason is kept in the audit log.")
    customer = living_customer(user_id)
    if known := PasswordResetRequest.objects.filter(key=key).first():
        if known.user_id != user_id:
            raise WrongStatus("This key was used for something else.")
        return ResetOutcome(known, replayed=True)
    if not customer.is_active:
        raise WrongStatus("This customer is shut out: let them in again first.")
    request = PasswordResetRequest.objects.create(user_id=customer.pk, actor=actor, way=way_for(customer), key=key)
    if request.way == ResetWay.MAIL:
        nudge(MAIL_LINK, request.pk, origin)
    hooks.fire(RESET_REQUESTED, request_id=request.pk)
    record(
        action=Action.CUSTOMER_RESET_ASKED,
        actor=actor,
        resource=Resource.of(customer),
        new_values={"way": request.way, "request": request.pk},
        reason=reason,
    )
    return ResetOutcome(request)


@transaction.atomic
def reset_customer_password(*, customer: User, password: str) -> None:
    """Set the password that a customer chose by the link in a mail. The log does not name them."""
    Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
    customer.set_password(password)
    customer.save(update_fields=["password", "updated_at"])
    record(action=Action.PASSWORD_RESET, actor=None, resource=Resource.of(customer), new_values={"password": WITHHELD})
