"""Events know their invoice and subscription; what was booked for a payment stays so, and nothing told is removed."""

from django.db import migrations

from backoffice.lib import guards, pattern_indexes

PAYMENT_FROZEN = ("id", "stripe_payment_id", "created_at")
# Once the money is in. Until then an intent may still change in every one of them.
PAYMENT_BOOKED = ("user_id", "amount_minor", "currency", "credits_purchased", "transaction_id")
EVENT_LINKS = ("invoice_id", "subscription_id", "source")

# As billing.envelopes reads them from what comes in from now on.
FILL_LINKS = """
UPDATE billing_stripeevent AS event SET invoice_id = told.invoice, subscription_id = told.subscription
FROM (
    SELECT id,
           CASE WHEN type LIKE 'invoice.%' THEN coalesce(subject ->> 'id', '')
                ELSE coalesce(subject -> 'invoice' ->> 'id', subject ->> 'invoice', '') END AS invoice,
           CASE WHEN type LIKE 'customer.subscription.%' THEN coalesce(subject ->> 'id', '')
                ELSE coalesce(subject -> 'subscription' ->> 'id', subject ->> 'subscription', '') END AS subscription
    FROM (SELECT id, type, payload #> '{data,object}' AS subject FROM billing_stripeevent WHERE payload IS NOT NULL) AS event
    WHERE jsonb_typeof(subject) = 'object'
) AS told
WHERE told.id = event.id AND told.invoice || told.subscription <> ''
  AND told.invoice || ' ' || told.subscription ~ '^[A-Za-z0-9_.:-]{0,200} [A-Za-z0-9_.:-]{0,200}$'
"""

GUARD_PAID = """
CREATE TRIGGER billing_payment_booked BEFORE UPDATE OF {names} ON billing_payment FOR EACH ROW
WHEN (
    OLD.status NOT IN ('pending', 'failed', 'canceled')
    AND ROW({old}) IS DISTINCT FROM ROW({new})
)
EXECUTE FUNCTION backoffice_refuse_change();
ALTER TABLE billing_payment ENABLE ALWAYS TRIGGER billing_payment_booked;
CREATE TRIGGER billing_payment_stays_paid BEFORE UPDATE OF status ON billing_payment FOR EACH ROW
WHEN (OLD.status NOT IN ('pending', 'failed', 'canceled') AND NEW.status IN ('pending', 'failed', 'canceled'))
EXECUTE FUNCTION backoffice_refuse_change();
ALTER TABLE billing_payment ENABLE ALWAYS TRIGGER billing_payment_stays_paid;
""".format(
    names=", ".join(PAYMENT_BOOKED),
    old=", ".join(f"OLD.{column}" for column in PAYMENT_BOOKED),
    new=", ".join(f"NEW.{column}" for column in PAYMENT_BOOKED),
)


class Migration(migrations.Migration):
    dependencies = [("billing", "0009_what_stripe_says")]
    operations = [
        migrations.RunSQL(FILL_LINKS, migrations.RunSQL.noop),
        migrations.RunSQL(
            "DROP TRIGGER billing_payment_frozen ON billing_payment;\n"
            + guards.frozen_columns("billing_payment", PAYMENT_FROZEN)
            + GUARD_PAID
        ),
        migrations.RunSQL(guards.frozen_columns("billing_stripeevent", EVENT_LINKS, name="links")),
        migrations.RunSQL(
            guards.frozen_columns("billing_refund", ["id", "payment_id", "policy", "actor_id", "created_at"])
        ),
        migrations.RunSQL(guards.no_removal("billing_refund")),
        migrations.RunSQL(guards.frozen_columns("billing_dispute", ["id", "payment_id", "stripe_dispute_id"])),
        migrations.RunSQL(guards.no_removal("billing_dispute")),
        migrations.RunSQL(guards.no_removal("billing_invoice")),
        migrations.RunSQL(guards.no_removal("billing_subscription")),
        migrations.RunSQL(guards.no_removal("billing_subscriptionchange")),
        pattern_indexes.drop(
            "billing_invoice_stripe_invoice_id_8a4f0c84_like", table="billing_invoice", column="stripe_invoice_id"
        ),
        pattern_indexes.drop(
            "billing_refund_stripe_refund_id_674bc053_like", table="billing_refund", column="stripe_refund_id"
        ),
        pattern_indexes.drop(
            "billing_refund_idempotency_key_9a643e0d_like", table="billing_refund", column="idempotency_key"
        ),
        pattern_indexes.drop(
            "billing_dispute_stripe_dispute_id_1ed59279_like", table="billing_dispute", column="stripe_dispute_id"
        ),
        pattern_indexes.drop(
            "billing_subscription_stripe_subscription_id_c5f9f775_like",
            table="billing_subscription",
            column="stripe_subscription_id",
        ),
    ]
