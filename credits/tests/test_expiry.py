"""Expiry by the clock, on accounts on which nobody posts."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command

from accounts.models import CustomerFigures
from audit.models import AuditEntry
from backoffice.lib import clock
from credits import selectors, services, tasks
from credits.models import CreditTransaction
from credits.tests.test_posting import posting
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db


def lapsing_gifts(number):
    later = clock.now() + timedelta(days=1)
    users = CustomerFactory.create_batch(number)
    services.post_batch([posting(user, 10, user.pk, expires_at=later) for user in users])
    services.post_batch([posting(user, 3, f"stays-{user.pk}") for user in users])
    return users


def test_what_has_lapsed_is_booked_once_and_leaves_the_lists():
    users = lapsing_gifts(3)
    with clock.at(clock.now() + timedelta(days=2)):
        assert services.expire_credits() == 3
        assert services.expire_credits() == 0
    assert CreditTransaction.objects.filter(kind="expiry", amount=-10).count() == 3
    assert set(CustomerFigures.objects.filter(user__in=users).values_list("balance", flat=True)) == {3}
    assert list(selectors.verify()) == []


def test_before_its_time_nothing_expires():
    lapsing_gifts(2)
    assert services.expire_credits() == 0
    assert not CreditTransaction.objects.filter(kind="expiry").exists()


def test_many_accounts_are_taken_in_turns(monkeypatch):
    lapsing_gifts(5)
    monkeypatch.setattr("credits.services.sweeps.ACCOUNTS_AT_ONCE", 2)
    with clock.at(clock.now() + timedelta(days=2)):
        assert services.expire_credits() == 5


def test_somebody_who_joined_the_staff_does_not_hold_it_up():
    one, _other = lapsing_gifts(2)
    one.is_staff = True
    one.save()
    with clock.at(clock.now() + timedelta(days=2)):
        assert services.expire_credits() == 1


def test_the_command_says_what_it_did():
    lapsing_gifts(1)
    told = StringIO()
    with clock.at(clock.now() + timedelta(days=2)):
        call_command("expire_credits", stdout=told)
    assert told.getvalue() == "ok: 1 lots and holds expired\n"


def told_of(sweep):
    entries = AuditEntry.objects.filter(resource_type="sweep", resource_id=sweep).order_by("pk")
    return list(entries.values_list("action", "new_values"))


def test_the_audit_log_tells_of_a_sweep_from_the_shell_before_it_begins_and_after_its_end():
    lapsing_gifts(1)
    with clock.at(clock.now() + timedelta(days=2)):
        call_command("expire_credits", stdout=StringIO())
    assert told_of("expire_credits") == [("credits.begin_sweep", {}), ("credits.finish_sweep", {"booked": 1})]
    call_command("reset_allowances", stdout=StringIO())
    assert told_of("reset_allowances") == [("credits.begin_sweep", {}), ("credits.finish_sweep", {"booked": 0})]


def test_of_a_sweep_that_was_stopped_the_audit_log_tells_that_it_began(monkeypatch):
    monkeypatch.setattr(services, "expire_credits", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        call_command("expire_credits")
    assert told_of("expire_credits") == [("credits.begin_sweep", {})]


def test_what_runs_by_itself_writes_nothing_into_the_audit_log():
    lapsing_gifts(1)
    with clock.at(clock.now() + timedelta(days=2)):
        tasks.expire_credits()
        tasks.reset_allowances()
    assert not AuditEntry.objects.exists()
