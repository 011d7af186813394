"""Mails to many customers at once, as a job: each is written into the outbox, once."""

from collections.abc import Sequence

from accounts.models import Customer, Status
from accounts.services import lock_customers
from backoffice.lib.money import format_credits
from backoffice.lib.work import ItemOutcome, Running
from jobs.mail_texts import filled
from jobs.services.outbox import Mail, enqueue_mails, is_one_line

TOPIC = "staff.mail"


def mail_many(job: Running, user_ids: Sequence[int]) -> list[ItemOutcome]:
    """Write the ``subject`` and ``text`` of the job's params to each customer."""
    # Locked, or a mail could be written to the address of somebody who is anonymised while it is.
    lock_customers(user_ids)
    customers = Customer.objects.select_related("figures").in_bulk(user_ids)
    refused = {user_id: _refusal(customers.get(user_id)) for user_id in user_ids}
    enqueue_mails(
        [
            mail_for(customers[user_id], job.params["subject"], job.params["text"], key=f"job:{job.id}:{user_id}")
            for user_id in user_ids
            if not refused[user_id]
        ],
        topic=TOPIC,
        job_id=job.id,
    )
    return [ItemOutcome(user_id, is_done=not why, note=why) for user_id, why in refused.items()]


def mail_for(customer: Customer, subject: str, text: str, *, key: str = "") -> Mail:
    """The mail as this customer would get it."""
    values = {
        "name": customer.full_name or "customer",
        "first_name": customer.full_name.partition(" ")[0] or "there",
        "email": customer.email,
        "plan": customer.plan or "no plan",
        "credits": format_credits(customer.figures.balance),
    }
    return Mail(
        key=key,
        recipient=customer.email,
        subject=filled(subject, values),
        body=filled(text, values),
        user_id=customer.pk,
    )


def _refusal(customer: Customer | None) -> str:
    if customer is None:
        return "There is no such customer any more."
    if customer.status == Status.BANNED:
        return "The customer is banned."
    if not customer.email:
        return "The customer has no address."
    # Between quotation marks an address may hold what ends a line. One of them must not keep all others from a mail.
    return "" if is_one_line(customer.email) else "No mail can be written to the customer's address."
