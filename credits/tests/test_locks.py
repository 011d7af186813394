"""Locks beside what others do with the same people: nobody waits in a circle, nothing is written without a lock."""

import threading
from decimal import Decimal

import pytest
from django.db import connections, transaction

from accounts.models import User
from credits import selectors, services
from credits.errors import IdempotencyConflict
from credits.kinds import TransactionKind
from credits.postings import Posting, PostResult, Rejection
from credits.services import plain_charges
from tests.factories import CustomerFactory
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def posting(user_id, amount, key):
    kind = TransactionKind.GIFT if amount > 0 else TransactionKind.USAGE
    return Posting(user_id=user_id, kind=kind, amount=Decimal(amount), idempotency_key=f"test:{key}")


def test_a_first_post_by_whoever_has_the_person_locked_does_not_deadlock_with_another():
    user_id = CustomerFactory().pk
    has_the_person, waits = threading.Event(), threading.Event()

    def with_the_person_locked():
        with transaction.atomic():
            User.objects.select_for_update(no_key=True).get(pk=user_id)
            has_the_person.set()
            waits.wait(0.5)
            return services.post(posting(user_id, 5, "inside"))

    def meanwhile():
        has_the_person.wait(5)
        return services.post(posting(user_id, 7, "meanwhile"))

    inside, other = at_once([with_the_person_locked, meanwhile])
    assert (inside.balance_after, other.balance_after) == (5, 12)
    assert list(selectors.verify()) == []


def test_a_batch_charges_plainly_only_the_accounts_that_it_locked(monkeypatch):
    """Somebody who was staff when the accounts were locked, and is a customer when they are read."""
    late, other = (user.pk for user in CustomerFactory.create_batch(2))
    services.post_batch([posting(user_id, 50, f"in-{user_id}") for user_id in (late, other)])
    # The first usage of a month is not plain.
    services.post_batch([posting(user_id, -1, f"first-{user_id}") for user_id in (late, other)])
    User.objects.filter(pk=late).update(is_staff=True)
    do_all, plain = plain_charges.do_all, []

    def leave_the_staff():
        User.objects.filter(pk=late).update(is_staff=False)
        connections.close_all()

    def after_the_lock(charges):
        thread = threading.Thread(target=leave_the_staff)
        thread.start()
        thread.join()
        done = do_all(charges)
        plain.extend(charges[place].user_id for place in done)
        return done

    monkeypatch.setattr(plain_charges, "do_all", after_the_lock)
    services.post_batch([posting(late, -1, "late"), posting(other, -1, "other")])
    assert plain == [other]


def test_keys_crossed_between_the_plain_and_the_other_charges_of_two_batches_end_in_conflicts():
    people = [user.pk for user in CustomerFactory.create_batch(4)]
    services.post_batch([posting(user_id, 100, f"in-{user_id}") for user_id in people])
    services.post_batch([posting(user_id, -1, f"first-{user_id}") for user_id in people])
    one, held, another, also_held = people
    for user_id in (held, also_held):
        services.place_hold(user_id=user_id, amount=Decimal(1), idempotency_key=f"test:hold-{user_id}")
    for turn in range(10):
        answers = at_once(
            [
                lambda a=f"{turn}-a", b=f"{turn}-b": services.post_batch([posting(one, -1, b), posting(held, -1, a)]),
                lambda a=f"{turn}-a", b=f"{turn}-b": services.post_batch(
                    [posting(another, -1, a), posting(also_held, -1, b)]
                ),
            ]
        )
        outcomes = [outcome for answer in answers for outcome in answer]
        assert sum(isinstance(outcome, PostResult) for outcome in outcomes) == 2
        refused = [outcome.error for outcome in outcomes if isinstance(outcome, Rejection)]
        assert {type(error) for error in refused} == {IdempotencyConflict}
    assert list(selectors.verify()) == []
