from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from accounts.models import CustomerFigures
from backoffice.lib import clock
from credits import errors, selectors, services
from credits.kinds import TransactionKind
from credits.models import CreditAccount, CreditTransaction, IdempotencyRecord
from credits.postings import Posting
from tests.factories import CustomerFactory, StaffFactory

pytestmark = pytest.mark.django_db


def posting(user, amount, key, kind=None, **more):
    kind = kind or (TransactionKind.GIFT if Decimal(amount) > 0 else TransactionKind.USAGE)
    return Posting(user_id=user.pk, kind=kind, amount=Decimal(amount), idempotency_key=f"test:{key}", **more)


def assert_proven():
    assert list(selectors.verify()) == []


@pytest.fixture
def user():
    return CustomerFactory()


def test_a_purchase_opens_a_lot_and_moves_the_balance(user):
    result = services.post(
        posting(user, 100, "k", kind=TransactionKind.PURCHASE, paid_minor=999, currency="usd", reference="pi_1")
    )
    account = CreditAccount.objects.get(user=user)
    assert (result.seq, result.balance_before, result.balance_after) == (1, 0, 100)
    assert account.balance == account.lots_total == account.lifetime_purchased == 100
    lot = account.lots.get()
    assert (lot.amount, lot.remaining, lot.paid_minor, lot.currency) == (100, 100, 999, "USD")
    assert_proven()


def test_usage_draws_lots_and_is_written_with_what_it_was_for(user):
    services.post(posting(user, 100, "in"))
    services.post(posting(user, -30, "out", action_type="image", reference="gen_1", metadata={"model": "flux"}))
    entry = CreditTransaction.objects.get(kind="usage")
    assert (entry.amount, entry.action_type, entry.reference) == (-30, "image", "gen_1")
    assert [(draw.lot.remaining, draw.amount) for draw in entry.draws.all()] == [(70, 30)]
    assert_proven()


def test_the_balance_beside_the_person_follows(user):
    services.post(posting(user, "12.5", "in"))
    assert CustomerFigures.objects.get(user=user).balance == Decimal("12.5")


def test_a_refused_spend_writes_nothing(user):
    services.post(posting(user, 10, "in"))
    with pytest.raises(errors.InsufficientCredits) as refused:
        services.post(posting(user, -11, "out"))
    assert (refused.value.needed, refused.value.available) == (11, 10)
    assert CreditTransaction.objects.count() == 1
    assert not IdempotencyRecord.objects.filter(key="test:out").exists()


def test_a_key_whose_first_attempt_was_refused_may_be_used_again(user):
    assert services.post_batch([posting(user, -5, "out")])[0].error.code == "insufficient_credits"
    services.post(posting(user, 10, "in"))
    assert services.post(posting(user, -5, "out")).balance_after == 5


def test_the_same_key_and_content_answers_the_first_result(user):
    first = services.post(posting(user, 10, "k"))
    services.post(posting(user, 1, "other"))
    again = services.post(posting(user, "10.0000", "k"))
    assert again.replayed and not first.replayed
    assert (again.transaction_id, again.balance_after) == (first.transaction_id, first.balance_after)
    assert CreditTransaction.objects.count() == 2


@pytest.mark.parametrize("change", ["amount", "account", "kind", "reference", "expiry"])
def test_the_same_key_for_something_else_is_a_conflict_and_writes_nothing(user, change):
    services.post(posting(user, 10, "k"))
    other = {
        "amount": posting(user, 11, "k"),
        "account": posting(CustomerFactory(), 10, "k"),
        "kind": posting(user, 10, "k", kind=TransactionKind.ADJUSTMENT),
        "reference": posting(user, 10, "k", reference="x"),
        "expiry": posting(user, 10, "k", expires_at=clock.now() + timedelta(days=1)),
    }[change]
    with pytest.raises(errors.IdempotencyConflict):
        services.post(other)
    assert CreditTransaction.objects.count() == 1


def test_a_key_that_comes_twice_in_one_batch_has_one_effect(user):
    first, second, conflict = services.post_batch(
        [posting(user, 10, "k"), posting(user, 10, "k"), posting(user, 11, "k")]
    )
    assert second.replayed and second.transaction_id == first.transaction_id
    assert conflict.error.code == "idempotency_conflict"
    assert_proven()


def test_a_batch_sees_its_own_items_in_order(user):
    results = services.post_batch(
        [posting(user, 10, 1), posting(user, -8, 2), posting(user, -8, 3), posting(user, 6, 4)]
    )
    assert [results[n].balance_after for n in (0, 1, 3)] == [10, 2, 8]
    assert results[2].error.available == 2
    assert_proven()


def test_a_lot_opened_and_drawn_in_one_batch_is_written_once_with_what_remains(user):
    services.post_batch([posting(user, 10, 1), posting(user, -4, 2)])
    assert CreditAccount.objects.get(user=user).lots.get().remaining == 6
    assert_proven()


def test_rejected_items_leave_the_others_standing(user):
    staff = StaffFactory()
    demo = CustomerFactory(demo_mode=True)
    results = services.post_batch(
        [
            posting(user, 10, 1),
            posting(staff, 10, 2),
            posting(demo, 10, 3),
            Posting(user_id=10**9, kind=TransactionKind.GIFT, amount=Decimal(1), idempotency_key="test:4"),
            posting(user, 10, 5, kind=TransactionKind.USAGE),
            posting(user, "0.00001", 6),
            posting(user, 1, 7, expires_at=clock.now()),
        ]
    )
    codes = [result.error.code if isinstance(result, services.Rejection) else None for result in results]
    assert codes == [
        None, "unknown_user", "demo_customer", "unknown_user", "invalid_amount", "invalid_amount", "invalid_expiry"
    ]  # fmt: skip
    assert CreditTransaction.objects.count() == 1
    assert_proven()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"amount": Decimal("sNaN")}, "invalid_amount"),
        ({"amount": Decimal("100.0000000000000000000000000001")}, "invalid_amount"),
        ({"description": "x" * 501}, "invalid_text"),
        ({"reference": "a\0"}, "invalid_text"),
        ({"action_type": "x" * 65}, "invalid_text"),
        ({"idempotency_key": "x" * 256}, "invalid_text"),
    ],
)
def test_what_the_ledger_cannot_hold_rejects_that_item_alone(user, change, code):
    bad = replace(posting(user, 100, "bad"), **change)
    good, refused = services.post_batch([posting(user, 100, "good"), bad])
    assert refused.error.code == code
    assert good.balance_after == 100


@pytest.mark.parametrize("change", [{"action_type": "video"}, {"metadata": {"generation": "2"}}, {"description": "x"}])
def test_the_same_key_for_another_purpose_is_a_conflict(user, change):
    services.post(posting(user, 10, "k"))
    with pytest.raises(errors.IdempotencyConflict):
        services.post(replace(posting(user, 10, "k"), **change))


def test_any_post_first_books_what_has_lapsed(user):
    start = clock.now()
    with clock.at(start):
        services.post(posting(user, 100, "gift", expires_at=start + timedelta(days=30)))
        services.post(posting(user, 5, "more"))
    with clock.at(start + timedelta(days=31)):
        result = services.post(posting(user, -5, "out"))
    kinds = list(CreditTransaction.objects.order_by("seq").values_list("kind", "amount"))
    assert kinds == [("gift", 100), ("gift", 5), ("expiry", -100), ("usage", -5)]
    assert result.balance_after == 0
    assert_proven()


def test_lapsed_credits_are_not_available_even_before_their_expiry_is_booked(user):
    start = clock.now()
    services.post(posting(user, 100, "gift", expires_at=start + timedelta(days=1)))
    later = start + timedelta(days=2)
    assert selectors.standing(user_id=user.pk, now=start).available == 100
    assert selectors.standing(user_id=user.pk, now=later).available == 0
    assert selectors.open_lots(selectors.standing(user_id=user.pk, now=later)) == []


def test_an_adjustment_goes_either_way_but_not_below_nothing(user):
    staff = StaffFactory()
    adjust = {"user_id": user.pk, "reason": "miscounted", "actor": staff}
    services.adjust_credits(amount=Decimal(5), idempotency_key="admin:1", **adjust)
    services.adjust_credits(amount=Decimal(-3), idempotency_key="admin:2", **adjust)
    with pytest.raises(errors.InsufficientCredits):
        services.adjust_credits(amount=Decimal(-3), idempotency_key="admin:3", **adjust)
    assert selectors.balance_of(user.pk).balance == 2
    assert_proven()


def test_an_account_without_entries_reads_as_zeros(user):
    account = selectors.balance_of(user.pk)
    assert (account.balance, account.seq) == (0, 0)


def _charges(users, number, run):
    return [posting(users[n % len(users)], -1, key=f"{run}-{n}") for n in range(number)]


@pytest.fixture
def users_of_this_month():
    """Customers for whom a charge has nothing to begin."""
    users = CustomerFactory.create_batch(20)
    services.post_batch([posting(user, 100, key=f"a{user.pk}") for user in users])
    services.post_batch(_charges(users, 20, "first"))
    return users


def test_plain_charges_take_the_same_few_statements_however_many(users_of_this_month, django_assert_num_queries):
    for number in (2, 200):
        # Savepoint, lock, charge, release.
        with django_assert_num_queries(4):
            services.post_batch(_charges(users_of_this_month, number, number))


def test_a_plain_charge_is_one_statement(users_of_this_month, django_assert_num_queries):
    # Savepoint, charge, release: outside of a transaction the statement is one by itself.
    with django_assert_num_queries(3):
        services.post_batch(_charges(users_of_this_month, 1, "single"))


def test_a_batch_of_any_size_takes_the_same_number_of_statements(users_of_this_month, django_assert_num_queries):
    # What is held makes a charge anything but plain.
    for user in users_of_this_month:
        services.place_hold(user_id=user.pk, amount=Decimal(1), idempotency_key=f"hold:{user.pk}")
    for number in (20, 200):
        with django_assert_num_queries(13):
            services.post_batch(_charges(users_of_this_month, number, number))
