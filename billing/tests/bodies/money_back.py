"""What tells of money that moves back, and of what Stripe keeps: refunds, disputes and balance transactions."""

import copy

from billing.tests.stripe_bodies import CREATED, charge, new_id

REFUND_LISTS_END, DETAILS_BEGIN = "2022-11-15", "2023-10-16"

_REFUND = {
    "id": "re_",
    "object": "refund",
    "amount": 300,
    "balance_transaction": "txn_1SVhYB2eZvKYlo2C",
    "charge": "ch_1",
    "created": CREATED + 60,
    "currency": "usd",
    "destination_details": {
        "card": {"reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund"},
        "type": "card",
    },
    "metadata": {},
    "payment_intent": "pi_1",
    "reason": None,
    "receipt_number": None,
    "source_transfer_reversal": None,
    "status": "succeeded",
    "transfer_reversal": None,
}

_EVIDENCE = dict.fromkeys(
    [
        "access_activity_log",
        "billing_address",
        "cancellation_policy",
        "cancellation_policy_disclosure",
        "cancellation_rebuttal",
        "customer_communication",
        "customer_email_address",
        "customer_name",
        "customer_purchase_ip",
        "customer_signature",
        "duplicate_charge_documentation",
        "duplicate_charge_explanation",
        "duplicate_charge_id",
        "product_description",
        "receipt",
        "refund_policy",
        "refund_policy_disclosure",
        "refund_refusal_explanation",
        "service_date",
        "service_documentation",
        "shipping_address",
        "shipping_carrier",
        "shipping_date",
        "shipping_documentation",
        "shipping_tracking_number",
        "uncategorized_file",
        "uncategorized_text",
    ]
)

_DISPUTE = {
    "id": "dp_",
    "object": "dispute",
    "amount": 1000,
    "balance_transaction": None,
    "balance_transactions": [],
    "charge": "ch_1",
    "created": CREATED + 600,
    "currency": "usd",
    "enhanced_eligibility_types": [],
    "evidence": _EVIDENCE | {"enhanced_evidence": {}},
    "evidence_details": {
        "due_by": CREATED + 700_000,
        "enhanced_eligibility": {},
        "has_evidence": False,
        "past_due": False,
        "submission_count": 0,
    },
    "is_charge_refundable": False,
    "livemode": False,
    "metadata": {},
    "network_reason_code": "10.4",
    "payment_intent": "pi_1",
    "payment_method_details": {
        "card": {"brand": "visa", "case_type": "chargeback", "network_reason_code": "10.4"},
        "type": "card",
    },
    "reason": "fraudulent",
    "status": "needs_response",
}

_BALANCE_TRANSACTION = {
    "id": "txn_",
    "object": "balance_transaction",
    "amount": 1000,
    "available_on": CREATED + 200_000,
    "balance_type": "payments",
    "created": CREATED,
    "currency": "usd",
    "description": None,
    "exchange_rate": None,
    "fee": 59,
    "fee_details": [
        {
            "amount": 59,
            "application": None,
            "currency": "usd",
            "description": "Stripe processing fees",
            "type": "stripe_fee",
        }
    ],
    "net": 941,
    "reporting_category": "charge",
    "source": "ch_1",
    "status": "pending",
    "type": "charge",
}


def refund(**fields) -> dict:
    return copy.deepcopy(_REFUND) | {"id": new_id("re")} | fields


def failed(body: dict, *, status: str = "failed") -> dict:
    """The refund as it is once it failed."""
    return body | {
        "status": status,
        "failure_reason": "expired_or_canceled_card",
        "failure_balance_transaction": new_id("txn"),
    }


def dispute(**fields) -> dict:
    return copy.deepcopy(_DISPUTE) | {"id": new_id("dp")} | fields


def balance_transaction(**fields) -> dict:
    return copy.deepcopy(_BALANCE_TRANSACTION) | {"id": new_id("txn")} | fields


def withdrawn(body: dict, *, fee: int = 1500) -> dict:
    """The dispute once the bank has taken the money, and Stripe its fee."""
    moved = balance_transaction(
        amount=-body["amount"], fee=fee, net=-body["amount"] - fee, type="adjustment", reporting_category="dispute"
    )
    return body | {"balance_transactions": [*body["balance_transactions"], moved], "balance_transaction": moved["id"]}


def reinstated(body: dict, *, fee: int = 0) -> dict:
    """The dispute once the money is back."""
    moved = balance_transaction(
        amount=body["amount"],
        fee=fee,
        net=body["amount"] - fee,
        type="adjustment",
        reporting_category="dispute_reversal",
    )
    return body | {"status": "won", "balance_transactions": [*body["balance_transactions"], moved]}


def refunded_charge(amount_refunded: int, *refunds: dict, **fields) -> dict:
    """The charge of which so much went back; ``refunds`` stand in it as they did until 2022-11-15."""
    body = charge(id="ch_1", payment_intent="pi_1", amount_refunded=amount_refunded, **fields)
    body["refunded"] = amount_refunded == body["amount"]
    if refunds:
        body["refunds"] = {
            "object": "list",
            "data": list(refunds),
            "has_more": False,
            "total_count": len(refunds),
            "url": "/v1/charges/ch_1/refunds",
        }
    return body


def in_version(version: str, body: dict) -> dict:
    """A refund, dispute or charge in the shape that an API version has."""
    body = copy.deepcopy(body)
    if version < DETAILS_BEGIN:
        for key in ("destination_details", "payment_method_details", "enhanced_eligibility_types"):
            if body["object"] != "charge":
                body.pop(key, None)
    if body["object"] == "charge":
        if version >= "2025-03-31":
            body.pop("invoice", None)
        if version >= REFUND_LISTS_END:
            body.pop("refunds", None)
    return body
