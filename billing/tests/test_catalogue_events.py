"""Prices and products of Stripe's: plans and packs follow what only Stripe decides, and staff's words stay."""

from decimal import Decimal

import pytest

from billing.models import CreditPack, EventState, Plan, PlanPrice
from billing.tests.bodies.subscriptions import START, price
from billing.tests.flow import deliver
from billing.tests.orders import orders
from billing.tests.stripe_bodies import event

pytestmark = pytest.mark.django_db


def product(**fields):
    return {
        "id": "prod_pro",
        "object": "product",
        "active": True,
        "attributes": [],
        "created": START - 900_000,
        "default_price": None,
        "description": None,
        "images": [],
        "livemode": False,
        "marketing_features": [],
        "metadata": {},
        "name": "Pro",
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": None,
        "tax_code": None,
        "type": "service",
        "unit_label": None,
        "updated": START,
        "url": None,
    } | fields


def once(**fields):
    """A price at which something is bought once."""
    return price(type="one_time", id="price_small", product="prod_small") | {"recurring": None} | fields


def told(kind, subject, *, after=0):
    return event(kind, subject, created=START + after)


def test_a_recurring_price_makes_a_plan_that_is_not_for_sale_yet():
    deliver(told("price.created", price(1500, metadata={"credits": "9"})))
    kept = PlanPrice.objects.select_related("plan").get()
    assert (kept.amount_minor, kept.currency, kept.interval, kept.interval_count) == (1500, "USD", "month", 1)
    assert kept.is_active
    assert (kept.plan.stripe_product_id, kept.plan.name, kept.plan.is_active) == ("prod_pro", "prod_pro", False)


STORY = (
    told("product.created", product(metadata={"monthly_credits": "100"})),
    told("price.created", price(1500), after=1),
    told("product.updated", product(name="Pro plus", metadata={"monthly_credits": "250"}), after=2),
    told("price.updated", price(1500, active=False), after=3),
)


def catalogue():
    plan = Plan.objects.values_list("key", "name", "monthly_credits", "is_active").get()
    return *plan, *PlanPrice.objects.values_list("amount_minor", "is_active").get()


def test_products_and_prices_end_the_same_in_every_order():
    assert set(orders(STORY, catalogue)) == {("prod_pro", "Pro plus", Decimal(250), False, 1500, False)}


def test_what_staff_wrote_of_a_plan_stays_and_what_they_left_follows():
    deliver(told("price.created", price()), told("product.created", product(metadata={"credits": "100"}), after=1))
    Plan.objects.update(name="Professional", is_active=True)
    deliver(told("product.updated", product(name="Other", metadata={"credits": "300"}), after=2))
    plan = Plan.objects.get()
    assert (plan.name, plan.stripe_name, plan.monthly_credits, plan.is_active) == ("Professional", "Other", 300, True)
    Plan.objects.update(monthly_credits=500)
    deliver(told("product.updated", product(name="Other", metadata={"credits": "400"}), after=3))
    assert Plan.objects.get().monthly_credits == 500


def test_a_deleted_price_is_sold_no_more():
    deliver(told("price.created", price()), told("price.deleted", price(), after=1))
    assert not PlanPrice.objects.get().is_active


def test_a_price_with_credits_that_is_paid_once_makes_a_pack_that_is_not_for_sale_yet():
    deliver(told("price.created", once(unit_amount=500, currency="jpy", metadata={"credits": "50"})))
    pack = CreditPack.objects.get()
    assert (pack.stripe_price_id, pack.credits, pack.price_minor, pack.currency) == ("price_small", 50, 500, "JPY")
    assert not pack.is_active


def test_a_price_without_credits_makes_no_pack_and_corrects_the_price_of_one(pack):
    deliver(told("price.updated", once(unit_amount=1200, id="price_other")))
    deliver(told("price.updated", once(unit_amount=1200, metadata={"credits": "1"})))
    kept = CreditPack.objects.get()
    assert (kept.pk, kept.name, kept.credits, kept.price_minor) == (pack.pk, "Small", 100, 1200)
    assert kept.is_active


def test_the_credits_of_a_pack_follow_stripe_until_staff_write_others():
    deliver(told("price.created", once(metadata={"credits": "100"})))
    deliver(told("price.updated", once(metadata={"credits": "120"}), after=1))
    assert CreditPack.objects.get().credits == 120
    CreditPack.objects.update(credits=500)
    deliver(told("price.updated", once(metadata={"credits": "130"}), after=2))
    assert CreditPack.objects.values_list("credits", "stripe_credits").get() == (500, 130)


def test_a_price_that_promises_no_credits_any_more_leaves_the_pack_those_it_has():
    deliver(told("price.created", once(metadata={"credits": "100"})))
    deliver(told("price.updated", once(), after=1), told("price.updated", once(metadata={"credits": "7"}), after=2))
    assert CreditPack.objects.get().credits == 100


@pytest.mark.parametrize(("kind", "fields"), [("updated", {"active": False}), ("deleted", {})])
def test_a_pack_at_whose_price_stripe_sells_no_more_is_taken_off_sale_and_only_staff_put_it_on_again(kind, fields):
    deliver(told("price.created", once(metadata={"credits": "100"})))
    CreditPack.objects.update(is_active=True)
    deliver(told("price.updated", once(nickname="Hundred"), after=1))
    assert CreditPack.objects.get().is_active
    deliver(told(f"price.{kind}", once(**fields), after=2))
    assert not CreditPack.objects.get().is_active
    deliver(told("price.updated", once(), after=3))
    assert not CreditPack.objects.get().is_active


def test_products_whose_ids_make_the_same_key_are_plans_of_their_own():
    stored = deliver(
        *(
            told("price.created", price(id=f"price_{number}", product=product_id), after=number)
            for number, product_id in enumerate(("Gold", "gold", "...", "x" * 65, "x" * 66))
        )
    )
    assert {each.state for each in stored} == {EventState.PROCESSED}
    first, *others = Plan.objects.order_by("pk").values_list("key", flat=True)
    assert first == "gold"
    assert len({first, *others}) == 5 and "" not in others


def test_the_key_of_a_plan_that_staff_entered_is_not_taken():
    Plan.objects.create(key="prod_pro", name="Our own")
    deliver(told("price.created", price()))
    assert PlanPrice.objects.get().plan.key.startswith("prod_pro-")


def test_an_older_price_told_late_changes_nothing():
    deliver(told("price.updated", price(2500), after=5), told("price.created", price(1500)))
    assert PlanPrice.objects.get().amount_minor == 2500


@pytest.mark.parametrize(
    ("subject", "state", "words"),
    [
        (price(metadata={"credits": "a lot"}), EventState.PARKED, 'credits "a lot"'),
        (price(product=None), EventState.PARKED, "names no product"),
        (price(currency=None), EventState.PARKED, "no currency"),
        (price(currency="u1"), EventState.PARKED, "no currency"),
        (once(unit_amount=None, metadata={"credits": "5"}), EventState.IGNORED, "decided when it is bought"),
    ],
)
def test_what_makes_no_sense_is_kept_with_the_reason(subject, state, words):
    (stored,) = deliver(told("price.created", subject))
    assert stored.state == state and words in stored.error
    assert not Plan.objects.exists() and not CreditPack.objects.exists()


def test_a_product_that_is_no_plan_is_ignored():
    (stored,) = deliver(told("product.created", product()))
    assert stored.state == EventState.IGNORED and "No plan" in stored.error


def test_a_tiered_price_has_no_amount():
    deliver(told("price.created", price(None, billing_scheme="tiered", tiers_mode="graduated")))
    assert PlanPrice.objects.get().amount_minor is None
