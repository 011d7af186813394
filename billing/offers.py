"""What this app offers to the rest of the house, under strings."""

from backoffice.lib import roles

# What became of an event; what came is frozen.
EVENT_OUTCOME = ("state", "attempts", "error", "next_attempt_at", "processed_at")
# What may become known after the money did.
PAYMENT_DETAILS = (
    "stripe_charge_id",
    "payment_method_type",
    "payment_method_brand",
    "payment_method_last4",
    "paid_at",
    "updated_at",
)


def register() -> None:
    """Called once, from ``AppConfig.ready()``."""
    roles.declare("billing_stripeevent", roles.TableGrant(update=EVENT_OUTCOME))
    roles.declare("billing_payment", roles.TableGrant(update=PAYMENT_DETAILS))
