"""The Stripe of our tests speaks with the library that we call Stripe with, and is as careless as it says."""

from billing import stripe_api


def test_our_client_pays_lists_and_refunds_there(stripe_server):
    customer = stripe_server.customer(metadata={"user_id": "u_ada"})
    paid = stripe_server.payment(customer, metadata={"credits": "100"})
    ours = stripe_api.client().v1

    listed = ours.payment_intents.list({"limit": 10, "expand": ["data.latest_charge.balance_transaction"]})
    refund = ours.refunds.create({"payment_intent": paid["id"], "amount": 300, "metadata": {"backoffice_refund": "7"}})

    [intent] = [each.to_dict() for each in listed.auto_paging_iter()]
    assert (intent["id"], intent["status"], intent["amount"]) == (paid["id"], "succeeded", 1000)
    assert intent["latest_charge"]["balance_transaction"]["net"] == 1000
    assert [each["id"] for each in stripe_server.refunds(paid["id"])] == [refund.id]
    assert ours.refunds.retrieve(refund.id).metadata["backoffice_refund"] == "7"


def test_it_refunds_more_than_was_paid_and_knows_no_keys(stripe_server):
    paid = stripe_server.payment(stripe_server.customer())
    for _ in range(2):
        stripe_api.client().v1.refunds.create(
            {"payment_intent": paid["id"], "amount": 800}, {"idempotency_key": "the same"}
        )
    assert [each["amount"] for each in stripe_server.refunds(paid["id"])] == [800, 800]


def test_each_test_starts_from_nothing(stripe_server):
    assert stripe_server.call("GET", "customers")["data"] == []
