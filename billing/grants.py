"""What the app's role may change in the tables of billing: evidence stays, what Stripe says last is written over."""

from backoffice.lib import roles

# What became of an event; what came is frozen.
EVENT_OUTCOME = ("state", "attempts", "failures", "error", "next_attempt_at", "processed_at", "settled_by_hand")
# Emptied when somebody is to be forgotten; a guard lets nothing else be written there.
EVENT_CONTENT = ("body", "payload", "body_sha256")
# Guards freeze of these what was booked once the money is in.
PAYMENT = (
    "user_id",
    "stripe_charge_id",
    "stripe_invoice_id",
    "amount_minor",
    "refunded_minor",
    "disputed_minor",
    "fee_minor",
    "fee_due_at",
    "net_minor",
    "settlement_currency",
    "currency",
    "status",
    "failure",
    "payment_method_type",
    "payment_method_brand",
    "payment_method_last4",
    "credits_purchased",
    "transaction_id",
    "paid_at",
    "charge_refunded_minor",
    "charge_refunded_at",
    "charge_as_of",
    "updated_at",
)
VERSION = ("as_of", "as_of_rank", "updated_at")
REFUND = (
    "stripe_refund_id",
    "amount_minor",
    "status",
    "stripe_reason",
    "reason",
    "failure",
    "next_attempt_at",
    "attempts",
    "refunded_at",
    "failed_at",
    *VERSION,
)
DISPUTE = ("amount_minor", "status", "reason", "fee_minor", "fee_currency", "evidence_due_at", "opened_at", "closed_at")

# How far a run is; each begins the row of its list anew.
SYNC = (
    "run",
    "since",
    "starting_after",
    "read_from",
    "found",
    "new",
    "held_up",
    "error",
    "started_at",
    "updated_at",
    "finished_at",
)


def declare() -> None:
    """Called once, from ``offers.register()``."""
    roles.declare("billing_stripeevent", roles.TableGrant(update=(*EVENT_OUTCOME, *EVENT_CONTENT)))
    roles.declare("billing_payment", roles.TableGrant(update=PAYMENT))
    roles.declare("billing_refund", roles.TableGrant(update=REFUND))
    roles.declare("billing_dispute", roles.TableGrant(update=(*DISPUTE, *VERSION)))
    roles.declare("billing_syncstate", roles.TableGrant(update=SYNC))
