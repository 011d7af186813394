"""Customers are shut out and let in again: what is written, what is refused, and what ends by itself."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from accounts import services
from accounts.errors import InvalidUntil, ReasonRefused, UnknownCustomer, UnknownStatusChange, WrongStatus
from accounts.models import Customer, CustomerFigures, Status, StatusChange
from audit.models import AuditEntry
from backoffice.lib import clock
from backoffice.lib.hooks import hooks
from tests.factories import CustomerFactory, StaffFactory

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def staff():
    return StaffFactory()


def state(user):
    user.refresh_from_db()
    return user.status, user.status_reason, user.status_until


def ban(user, actor, **more):
    return services.ban_customer(user_id=user.pk, reason="Payment fraud", actor=actor, **more)


def suspend(user, actor, **more):
    return services.suspend_customer(user_id=user.pk, reason="Spam", actor=actor, **more)


def test_a_ban_is_written_beside_the_person_in_the_history_and_in_the_audit_log(staff):
    customer = CustomerFactory()
    with clock.at(NOON):
        change = ban(customer, staff, until=NOON + DAY).change
    assert state(customer) == ("banned", "Payment fraud", NOON + DAY)
    assert CustomerFigures.objects.get(user=customer).status == "banned"
    assert (change.old, change.new, change.until, change.actor, change.at) == (
        "active",
        "banned",
        NOON + DAY,
        staff,
        NOON,
    )
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.reason) == ("accounts.ban_user", staff, "Payment fraud")
    assert entry.old_values == {"status": "active", "until": None}
    assert entry.new_values == {"status": "banned", "until": "2026-03-02T12:00:00+00:00", "source": "by hand"}


def test_a_lifted_ban_leaves_no_reason_and_no_end_behind(staff):
    customer = CustomerFactory()
    ban(customer, staff, until=clock.now() + DAY)
    services.unban_customer(user_id=customer.pk, reason="Was a mistake", actor=staff)
    assert state(customer) == ("active", "", None)
    assert [change.topic for change in StatusChange.objects.order_by("pk")] == ["user.banned", "user.unbanned"]


def test_a_suspension_is_lifted_and_a_suspended_customer_can_be_banned(staff):
    customer = CustomerFactory()
    suspend(customer, staff)
    services.lift_suspension(user_id=customer.pk, reason="All right", actor=staff)
    suspend(customer, staff)
    ban(customer, staff)
    topics = [change.topic for change in StatusChange.objects.order_by("pk")]
    assert topics == ["user.suspended", "user.reinstated", "user.suspended", "user.banned"]


def test_what_is_so_already_writes_nothing(staff):
    customer = CustomerFactory()
    ban(customer, staff)
    assert ban(customer, staff).change is None
    services.unban_customer(user_id=customer.pk, reason="x", actor=staff)
    assert services.unban_customer(user_id=customer.pk, reason="x", actor=staff).change is None
    assert services.lift_suspension(user_id=customer.pk, reason="x", actor=staff).change is None
    assert (StatusChange.objects.count(), AuditEntry.objects.count()) == (2, 2)


def test_another_end_is_a_change(staff):
    customer = CustomerFactory()
    suspend(customer, staff, until=clock.now() + DAY)
    later = clock.now() + 5 * DAY
    assert suspend(customer, staff, until=later).change.old == "suspended"
    assert state(customer)[2] == later


def test_the_same_key_is_done_once_whatever_became_of_it(staff):
    customer = CustomerFactory()
    first = ban(customer, staff, key="admin:1")
    services.unban_customer(user_id=customer.pk, reason="x", actor=staff)
    again = ban(customer, staff, key="admin:1")
    assert (again.change, again.replayed, state(customer)[0]) == (first.change, True, "active")
    with pytest.raises(WrongStatus):
        ban(CustomerFactory(), staff, key="admin:1")


@pytest.mark.parametrize(
    ("now", "act"),
    [
        (Status.BANNED, services.suspend_customer),
        (Status.BANNED, services.lift_suspension),
        (Status.SUSPENDED, services.unban_customer),
    ],
)
def test_what_does_not_fit_the_status_is_refused_and_changes_nothing(staff, now, act):
    customer = CustomerFactory(status=now)
    with pytest.raises(WrongStatus):
        act(user_id=customer.pk, reason="x", actor=staff)
    assert state(customer)[0] == now
    assert not StatusChange.objects.exists()


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501, "a\x00b"])
def test_a_reason_that_cannot_be_kept_is_refused(staff, reason):
    with pytest.raises(ReasonRefused):
        services.ban_customer(user_id=CustomerFactory().pk, reason=reason, actor=staff)


def test_an_end_in_the_past_is_refused(staff):
    with pytest.raises(InvalidUntil):
        ban(CustomerFactory(), staff, until=clock.now() - timedelta(seconds=1))


@pytest.mark.parametrize("act", [services.ban_customer, services.unban_customer, services.suspend_customer])
def test_staff_and_nobody_are_no_customers(staff, act):
    for user_id in (StaffFactory().pk, 999_999):
        with pytest.raises(UnknownCustomer):
            act(user_id=user_id, reason="x", actor=staff)


def test_a_part_of_a_job_is_in_the_log_once_with_the_job(staff):
    customer = CustomerFactory()
    assert ban(customer, staff, source="job:7").change.source == "job:7"
    assert not AuditEntry.objects.exists()


def test_without_the_audit_entry_there_is_no_ban(staff, monkeypatch):
    def broken(**entry):
        raise RuntimeError

    customer = CustomerFactory()
    monkeypatch.setattr("accounts.services.status.record", broken)
    with pytest.raises(RuntimeError):
        ban(customer, staff)
    assert state(customer)[0] == "active"
    assert not StatusChange.objects.exists()


def test_who_listens_is_told_of_the_change_once_it_is_committed(staff, monkeypatch, django_capture_on_commit_callbacks):
    told = []
    monkeypatch.setattr(hooks, "_handlers", {"user_status_changed": {"test": lambda change_id: told.append(change_id)}})
    with django_capture_on_commit_callbacks(execute=True):
        change = ban(CustomerFactory(), staff).change
        assert told == []
    assert told == [change.pk]


def test_undo_puts_a_customer_back_to_where_the_change_found_them(staff):
    customer = CustomerFactory()
    end = clock.now() + DAY
    suspend(customer, staff, until=end)
    change = ban(customer, staff).change
    assert services.undo_status_change(change_id=change.pk, actor=staff).change.source == f"undo:{change.pk}"
    assert state(customer) == ("suspended", "Spam", end)
    assert services.undo_status_change(change_id=change.pk, actor=staff).replayed
    assert StatusChange.objects.count() == 3


def test_undo_of_a_first_ban_lets_the_customer_in_again(staff):
    customer = CustomerFactory()
    change = ban(customer, staff).change
    undone = services.undo_status_change(change_id=change.pk, actor=staff).change
    assert state(customer) == ("active", "", None)
    assert (undone.topic, undone.reason) == ("user.unbanned", "Undone: Payment fraud")


def test_undo_does_not_bring_back_what_would_have_ended_meanwhile(staff):
    customer = CustomerFactory()
    with clock.at(NOON):
        suspend(customer, staff, until=NOON + DAY)
        change = ban(customer, staff).change
    with clock.at(NOON + 2 * DAY):
        services.undo_status_change(change_id=change.pk, actor=staff)
    assert state(customer)[0] == "active"


def test_what_changed_again_since_is_not_undone(staff):
    customer = CustomerFactory()
    change = suspend(customer, staff).change
    ban(customer, staff)
    with pytest.raises(WrongStatus):
        services.undo_status_change(change_id=change.pk, actor=staff)
    with pytest.raises(UnknownStatusChange):
        services.undo_status_change(change_id=change.pk + 1000, actor=staff)
    assert state(customer)[0] == "banned"


def test_the_sweep_lifts_what_is_over_and_nothing_else(staff):
    over, banned, still_on, endless = CustomerFactory.create_batch(4)
    with clock.at(NOON):
        suspend(over, staff, until=NOON + DAY)
        ban(banned, staff, until=NOON + DAY)
        suspend(still_on, staff, until=NOON + 3 * DAY)
        ban(endless, staff)
    with clock.at(NOON + DAY):
        assert services.lift_due_statuses() == 2
        assert services.lift_due_statuses() == 0
    assert [state(user)[0] for user in (over, banned, still_on, endless)] == ["active", "active", "suspended", "banned"]
    change = StatusChange.objects.filter(user=over).latest("pk")
    assert (change.source, change.actor, change.topic) == ("clock", None, "user.reinstated")
    entry = AuditEntry.objects.filter(resource_id=str(over.pk)).latest("pk")
    assert (entry.action, entry.actor_label) == ("accounts.lift_suspension", "system")


def test_one_who_cannot_be_lifted_does_not_keep_the_others_shut_out(staff, monkeypatch):
    stuck, free = CustomerFactory.create_batch(2)
    with clock.at(NOON):
        for user in (stuck, free):
            suspend(user, staff, until=NOON + DAY)
    record = services.status.record

    def refuse(**entry):
        if entry["resource"].id == str(stuck.pk):
            raise IntegrityError
        return record(**entry)

    monkeypatch.setattr("accounts.services.status.record", refuse)
    with clock.at(NOON + DAY):
        assert services.lift_due_statuses() == 1
    assert [state(user)[0] for user in (stuck, free)] == ["suspended", "active"]


def test_one_who_was_merged_while_the_sweep_came_does_not_keep_the_others_shut_out(staff, monkeypatch):
    merged, survivor, due = CustomerFactory.create_batch(3)
    services.merge_customers(survivor_id=survivor.pk, merged_id=merged.pk, reason="x", actor=staff)
    with clock.at(NOON):
        suspend(due, staff, until=NOON + DAY)
    monkeypatch.setattr("accounts.selectors.statuses_due", lambda now: [merged.pk, due.pk])
    with clock.at(NOON + DAY):
        assert services.lift_due_statuses() == 1
    assert state(due)[0] == "active"


STATEMENTS = [
    "UPDATE accounts_statuschange SET new = 'active'",
    "UPDATE accounts_statuschange SET reason = 'something else'",
    "UPDATE accounts_statuschange SET actor_id = NULL",
    "DELETE FROM accounts_statuschange",
    "TRUNCATE accounts_statuschange",
]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_history_is_not_rewritten(staff, statement):
    ban(CustomerFactory(), staff)
    with pytest.raises(Exception, match=r"permission denied|is refused"), transaction.atomic():
        connection.cursor().execute(statement)
    assert StatusChange.objects.get().reason == "Payment fraud"


def test_the_words_of_a_reason_can_be_emptied(staff):
    ban(CustomerFactory(), staff)
    StatusChange.objects.update(reason="")
    assert StatusChange.objects.get().reason == ""


def test_the_sweep_finds_whom_it_lifts_by_an_index():
    with connection.cursor() as cursor:
        # So few rows would be read whole.
        cursor.execute("SET LOCAL enable_seqscan = off")
    due = Customer.objects.filter(status_until__isnull=False, status_until__lte=clock.now()).exclude(status="active")
    assert "user_status_ends" in due.explain()


def test_who_was_given_more_time_while_the_sweep_came_stays_shut_out(staff, monkeypatch):
    customer = CustomerFactory()
    with clock.at(NOON):
        suspend(customer, staff, until=NOON + 9 * DAY)
    monkeypatch.setattr("accounts.selectors.statuses_due", lambda now: [customer.pk])
    with clock.at(NOON + DAY):
        assert services.lift_due_statuses() == 0
    assert state(customer)[0] == "suspended"
