"""What paid invoices of subscriptions grant: once for each period, and never set back."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import factorial

import pytest

from accounts import services as accounts
from accounts.models import Customer
from backoffice.lib import clock
from billing.models import EventState, Invoice, Plan, PlanPrice, StripeEvent
from billing.services.processing import process_event
from billing.tests.bodies.invoices import NEW, VERSIONS, invoice, line
from billing.tests.flow import deliver
from billing.tests.orders import orders
from billing.tests.stripe_bodies import event
from credits.models import CreditAccount, CreditLot, CreditTransaction
from credits.selectors import balance_of
from credits.services import expire_credits, reset_allowances, set_allowance, verify_ledger

pytestmark = pytest.mark.django_db

START = datetime(2026, 3, 10, 12, tzinfo=UTC)
END = datetime(2026, 4, 10, 12, tzinfo=UTC)
NEXT = datetime(2026, 5, 10, 12, tzinfo=UTC)
YEAR = datetime(2027, 3, 10, 12, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def ada(customer):
    Customer.objects.filter(pk=customer.pk).update(stripe_customer_id="cus_ada")
    return customer


@pytest.fixture(autouse=True)
def pro():
    plan = Plan.objects.create(key="pro", name="Pro", monthly_credits=1000, stripe_product_id="prod_pro")
    for price, interval in (("price_month", "month"), ("price_year", "year"), ("price_week", "week")):
        PlanPrice.objects.create(plan=plan, stripe_price_id=price, amount_minor=2000, currency="USD", interval=interval)
    return plan


@pytest.fixture
def team():
    plan = Plan.objects.create(key="team", name="Team", monthly_credits=2500, stripe_product_id="prod_team")
    PlanPrice.objects.create(
        plan=plan, stripe_price_id="price_team", amount_minor=5000, currency="USD", interval="month"
    )
    return plan


def seconds(at):
    return int(at.timestamp())


def of(price, start=START, end=END, **fields):
    return line(price, start=seconds(start), end=seconds(end), **fields)


def paid(*lines, at=START, version=NEW, kind="paid", **fields):
    """The event that an invoice of these lines, made at ``at``, is paid a little later."""
    whole = invoice(version, lines=list(lines), status="paid", created=seconds(at), **fields)
    return event(f"invoice.{kind}", whole, created=seconds(at) + 5, api_version=version)


def upgrade(at=START + 10 * DAY, end=END, version=NEW, to="prod_team", price="price_team", **fields):
    """In mid-period from Pro to something better: what is left of the one is given back for that of the other."""
    back = of("price_month", at, end, amount=-1300, proration=True)
    more = of(price, at, end, product_id=to, amount=3300, unit_amount=5000, proration=True)
    return paid(back, more, at=at, version=version, billing_reason="subscription_update", **fields)


def allowance():
    """The allowance of the only account: credits, the next reset and until when it is paid for."""
    account = CreditAccount.objects.get()
    return account.monthly_allowance, account.next_reset_at, account.allowance_paid_until


def grants():
    return list(CreditTransaction.objects.order_by("pk").values_list("amount", flat=True))


def play(*events, minutes=1):
    """Deliver each a little after Stripe made it."""
    for body in events:
        with clock.at(datetime.fromtimestamp(body["created"], UTC) + minutes * MINUTE):
            (stored,) = deliver(body)
        assert stored.state == EventState.PROCESSED, stored.error


@pytest.mark.parametrize("version", VERSIONS)
def test_a_paid_month_grants_the_credits_of_its_plan_until_the_month_ends(ada, version):
    play(paid(of("price_month", quantity=3, amount=6000), version=version))
    assert allowance() == (3000, END, END)
    assert grants() == [3000]
    assert CreditLot.objects.get().expires_at == END
    row = Invoice.objects.get()
    assert (row.monthly_credits, row.period_start, row.period_end) == (3000, START, END)
    with clock.at(END + DAY):
        reset_allowances()
        expire_credits()
    assert grants() == [3000, -3000], "nothing is granted for a month that nobody paid for"


def test_a_price_that_no_plan_lists_stands_for_the_plan_of_its_product():
    play(paid(of("price_of_last_year"), subscription="sub_old"))
    assert grants() == [1000]


def test_extras_beside_a_plan_grant_nothing_and_a_discount_takes_nothing_from_it():
    free_of_charge = paid(of("price_month"), of("price_seats", product_id="prod_extra"), amount_paid=0, total=0)
    play(free_of_charge)
    assert grants() == [1000]


def test_a_paid_invoice_grants_once_however_often_it_is_told():
    whole = paid(of("price_month"))
    again = [
        whole | {"id": f"evt_again_{kind}", "type": f"invoice.{kind}"} for kind in ("payment_succeeded", "updated")
    ]
    play(whole, *again)
    assert grants() == [1000]
    with clock.at(START + DAY):
        set_allowance(user_id=CreditAccount.objects.get().pk, amount=Decimal(700), period_start=START)
        deliver(whole | {"id": "evt_much_later", "created": whole["created"] + 999})
    assert allowance()[0] == 700, "what staff set meanwhile stands"


def test_a_late_invoice_of_an_older_period_does_not_set_the_allowance_back():
    older = paid(of("price_month"))
    newer = paid(of("price_month", END, NEXT), at=END)
    play(newer)
    with clock.at(END + DAY):
        deliver(older)
    assert allowance() == (1000, NEXT, NEXT)
    assert grants() == [1000], "what the older one would have granted has lapsed"


@pytest.mark.parametrize("version", VERSIONS)
def test_an_upgrade_within_a_month_grants_the_difference_in_either_order(team, version):
    first, more = paid(of("price_month"), version=version), upgrade(version=version)
    play(first, more)
    assert grants() == [1000, 1500]
    assert allowance() == (2500, END, END)


def test_an_upgrade_that_is_told_first_waits_for_its_period_to_be_known(team):
    first, more = paid(of("price_month")), upgrade()
    with clock.at(START + 10 * DAY + MINUTE):
        (waiting,) = deliver(more)
        assert (waiting.state, grants()) == (EventState.RECEIVED, [])
        deliver(first)
        waiting.refresh_from_db()
    assert waiting.state == EventState.PROCESSED
    assert sum(grants()) == 2500
    assert allowance() == (2500, END, END)


def test_an_upgrade_whose_period_never_told_of_itself_grants_the_difference_and_the_late_rest_no_more(team):
    first, more = paid(of("price_month")), upgrade()
    with clock.at(START + 10 * DAY + MINUTE):
        (waiting,) = deliver(more)
    with clock.at(START + 10 * DAY + 20 * MINUTE):
        process_event(event_id=waiting.pk)
        assert grants() == [1500]
        deliver(first)
    assert sum(grants()) == 2500


def test_a_downgrade_takes_nothing_back(team):
    first = paid(of("price_team", product_id="prod_team", amount=5000, unit_amount=5000))
    at = START + 10 * DAY
    back = of("price_team", at, END, product_id="prod_team", amount=-3300, unit_amount=5000, proration=True)
    less = of("price_month", at, END, amount=1300, proration=True)
    play(first, paid(back, less, at=at, billing_reason="subscription_update"))
    assert (grants(), allowance()) == ([2500], (1000, END, END))


def test_prorations_of_a_month_that_is_over_are_on_the_bill_of_the_next_and_grant_nothing(team):
    at = START + 10 * DAY
    back = of("price_month", at, END, amount=-1300, proration=True)
    more = of("price_team", at, END, product_id="prod_team", amount=3300, unit_amount=5000, proration=True)
    following = of("price_team", END, NEXT, product_id="prod_team", amount=5000, unit_amount=5000)
    play(paid(back, more, following, at=END))
    assert (grants(), allowance()) == ([2500], (2500, NEXT, NEXT))


def test_a_paid_year_grants_month_by_month_and_no_further():
    play(paid(of("price_year", START, YEAR, amount=20_000)))
    assert allowance() == (1000, END, YEAR)
    moment = START
    while moment < YEAR + 40 * DAY:
        moment += DAY
        with clock.at(moment):
            reset_allowances()
    assert [amount for amount in grants() if amount > 0] == [1000] * 12


def test_an_upgrade_within_a_year_grants_the_difference_of_the_month_that_runs(team):
    play(paid(of("price_year", START, YEAR, amount=20_000)))
    with clock.at(END + MINUTE):
        reset_allowances()
    at = END + 10 * DAY
    back = of("price_year", at, YEAR, amount=-13_000, proration=True)
    more = of("price_team", at, YEAR, product_id="prod_team", amount=33_000, unit_amount=50_000, proration=True)
    play(paid(back, more, at=at, billing_reason="subscription_update"))
    assert [amount for amount in grants() if amount > 0] == [1000, 1000, 1500]
    assert allowance() == (2500, NEXT, YEAR)


def test_a_week_grants_its_part_of_a_years_credits():
    play(paid(of("price_week", START, START + 7 * DAY)))
    assert grants() == [Decimal("230.7692")]
    assert allowance() == (Decimal("230.7692"), START + 7 * DAY, START + 7 * DAY)


@pytest.mark.parametrize(("trial_credits", "granted"), [(None, 1000), (Decimal(50), 50)])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_trial_grants_what_the_trial_of_its_plan_gives(pro, version, trial_credits, granted):
    Plan.objects.filter(pk=pro.pk).update(trial_credits=trial_credits)
    end = START + 14 * DAY
    play(paid(of("price_year", START, end, amount=0), version=version, billing_reason="subscription_create"))
    assert (grants(), allowance()) == ([granted], (granted, end, end))


def test_what_was_used_and_is_billed_afterwards_grants_nothing():
    used = of("price_month", START - 30 * DAY, START, quantity=5000, metered=True)
    play(paid(used))
    assert not CreditTransaction.objects.exists()


def test_a_second_subscription_grants_its_own_period_beside_the_year_that_runs(team):
    play(paid(of("price_year", START, YEAR, amount=20_000), subscription="sub_year"))
    beside = of("price_team", START + DAY, END + DAY, product_id="prod_team", amount=5000, unit_amount=5000)
    play(paid(beside, at=START + DAY, subscription="sub_beside"))
    assert (grants(), allowance()) == ([1000, 2500], (1000, END, YEAR))


def test_a_price_of_no_plan_waits_for_somebody_and_the_invoice_is_kept_all_the_same():
    whole = paid(of("price_new", product_id="prod_new"))
    succeeded = whole | {"id": "evt_succeeded", "type": "invoice.payment_succeeded"}
    with clock.at(START + MINUTE):
        kept, parked = deliver(succeeded, whole)
    assert (kept.state, parked.state) == (EventState.PROCESSED, EventState.PARKED)
    assert "price_new" in parked.error
    assert Invoice.objects.get().status == "paid"


@pytest.mark.django_db(transaction=True)
def test_the_ledger_and_its_figures_are_proven_after_a_month_an_upgrade_and_what_lapsed(team):
    play(paid(of("price_month")), upgrade())
    with clock.at(END + DAY):
        reset_allowances()
        expire_credits()
        assert verify_ledger(source="command").faults == 0
        assert accounts.verify_figures(source="command").faults == 0
    assert sum(grants()) == 0


@pytest.mark.parametrize("quantity", [10**7, 10**12, 10**30])
def test_more_credits_than_can_be_kept_are_for_somebody_to_look_at(quantity):
    with clock.at(START + MINUTE):
        whole = paid(of("price_month", quantity=quantity))
        kept, stored = deliver(whole | {"id": "evt_succeeded", "type": "invoice.payment_succeeded"}, whole)
    assert (kept.state, grants()) == (EventState.PROCESSED, [])
    assert stored.state == EventState.PARKED, stored.error
    assert "credits a month" in stored.error
    assert Invoice.objects.get().status == "paid"


@pytest.mark.parametrize("count", [10**6, 10**30])
def test_a_length_of_time_that_cannot_be_is_read_as_none(count):
    line = of("price_extra", interval="week", interval_count=count)
    play(paid(line, version=VERSIONS[0]))
    assert grants() == [Decimal("230.7692")]


def test_a_refused_invoice_grants_nothing():
    whole = invoice(NEW, lines=[of("price_month")], created=seconds(START))
    with clock.at(START + MINUTE):
        deliver(event("invoice.payment_failed", whole, created=seconds(START) + 3))
    assert not CreditTransaction.objects.exists()


def stands():
    states = set(StripeEvent.objects.values_list("state", flat=True))
    user = CreditAccount.objects.get().pk
    rows = list(Invoice.objects.order_by("stripe_invoice_id").values_list("status", "monthly_credits", "period_end"))
    return states, (rows, sum(grants()), balance_of(user).balance, allowance())


def test_in_any_order_five_events_of_a_month_and_its_upgrade_end_the_same(team):
    month = paid(of("price_month"), id="in_1")
    opened = invoice(NEW, id="in_1", lines=[of("price_month")], created=seconds(START))
    more = upgrade(id="in_2")
    story = [
        event("invoice.created", opened | {"status": "draft"}, created=seconds(START)),
        event("invoice.finalized", opened, created=seconds(START)),
        month,
        more,
        more | {"id": "evt_touched", "type": "invoice.updated", "created": more["created"] + 60},
    ]
    with clock.at(START + 10 * DAY + MINUTE):
        ends = list(orders(story, stands))
    assert len(ends) == factorial(len(story))
    for states, found in ends:
        assert states == {EventState.PROCESSED}
        assert found == ([("paid", 1000, END), ("paid", 1500, END)], 2500, 2500, (2500, END, END))
