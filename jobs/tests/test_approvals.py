"""Above a limit a second person decides, once."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import User
from audit.models import AuditEntry
from backoffice.lib.work import approvable_verbs
from jobs import selectors, services
from jobs.errors import LimitExceeded, NotAllowed, NotYours, TokenReused, UnknownKind, WrongState
from jobs.models import Approval, ApprovalState
from jobs.tests import kinds
from jobs.tests.test_limits import VERB, member, use
from tests.factories import StaffFactory, permission
from tests.threads import at_once

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("limited")]


@pytest.fixture
def done():
    """What the verb was run with."""
    return []


@pytest.fixture
def verb(done):
    def run(params, *, requested_by, decided_by, reason, key):
        if params.get("refused"):
            raise kinds.Refused("There is no such customer any more.")
        services.count_use(staff=decided_by, verb=VERB, amount=Decimal(params["amount"]), key=key)
        done.append((params["amount"], requested_by.pk, decided_by.pk, reason, key))
        return "Given."

    with kinds.offered(approvable_verbs, kinds.giving(run)) as entry:
        yield entry


def decider(*limits):
    staff = member(*limits)
    staff.user_permissions.add(permission("jobs", "decide_approval"), permission("accounts", "change_customer"))
    return User.objects.get(pk=staff.pk)


def ask(clerk, *, amount="500", key="first", **params):
    return services.request_approval(
        verb=VERB,
        params={"amount": amount, **params},
        amount=Decimal(amount),
        resource=("accounts.user", "7"),
        actor=clerk,
        reason="A long outage",
        token=key,
    )


def audited():
    return list(AuditEntry.objects.order_by("pk").values_list("action", "actor_id", "resource_id", "reason"))


def test_what_a_second_person_allows_is_done_once_in_the_name_of_who_asked(verb, done, clerk):
    approval, boss = ask(clerk), decider()
    decided = services.approve(approval_id=approval.pk, actor=boss, reason="Fine")
    assert (decided.state, decided.outcome, decided.decided_by_id) == (ApprovalState.APPROVED, "Given.", boss.pk)
    assert done == [("500", clerk.pk, boss.pk, "A long outage", f"admin:approval:{approval.pk}")]
    assert audited() == [
        ("jobs.request_approval", clerk.pk, "7", "A long outage"),
        ("jobs.approve", boss.pk, "7", "Fine"),
    ]
    with pytest.raises(WrongState):
        services.approve(approval_id=approval.pk, actor=decider())
    with pytest.raises(WrongState):
        services.deny(approval_id=approval.pk, actor=decider(), reason="too late")
    assert len(done) == 1


@pytest.mark.parametrize("amount", ["-1", "NaN"])
def test_no_amount_that_limits_cannot_bound_is_asked_for(verb, amount):
    ask(decider())
    same = "verb, params, resource_type, resource_id, requested_by_id, reason, state, decision_reason, outcome"
    again = (
        f"INSERT INTO jobs_approval ({same}, created_at, expires_at, token, amount)"
        f" SELECT {same}, created_at, expires_at, 'other', %s FROM jobs_approval"
    )
    with (
        pytest.raises(IntegrityError, match="approval_amount_bounds"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(again, [amount])


def test_nobody_allows_or_denies_what_they_asked_for_themselves(verb, done):
    boss = decider()
    approval = ask(boss)
    with pytest.raises(NotYours):
        services.approve(approval_id=approval.pk, actor=boss)
    with pytest.raises(NotYours):
        services.deny(approval_id=approval.pk, actor=boss, reason="no")
    with pytest.raises(IntegrityError, match="approval_by_a_second_person"), transaction.atomic():
        Approval.objects.filter(pk=approval.pk).update(
            state="approved", decided_by=boss.pk, decided_at=approval.created_at
        )
    assert done == []


def test_a_denial_is_audited_and_final(verb, done, clerk):
    approval, boss = ask(clerk), decider()
    services.deny(approval_id=approval.pk, actor=boss, reason="Not this one")
    assert audited()[-1] == ("jobs.deny", boss.pk, "7", "Not this one")
    with pytest.raises(WrongState):
        services.approve(approval_id=approval.pk, actor=decider())
    assert done == []


def test_who_decides_needs_the_right_to_decide_and_the_right_to_the_act(verb, clerk):
    approval = ask(clerk)
    only_acts = StaffFactory(permissions=[kinds.PERMISSION])
    only_decides = StaffFactory(permissions=["jobs.decide_approval"])
    for staff in (only_acts, only_decides, StaffFactory()):
        with pytest.raises(NotAllowed):
            services.approve(approval_id=approval.pk, actor=staff)
        assert list(selectors.waiting_for(staff)) == []
    assert list(selectors.waiting_for(decider())) == [approval]


def test_who_asks_needs_the_right_to_the_act(verb):
    with pytest.raises(NotAllowed):
        ask(StaffFactory())
    with pytest.raises(UnknownKind):
        services.request_approval(
            verb="test.none",
            params={},
            amount=Decimal(1),
            resource=("", ""),
            actor=StaffFactory(),
            reason="",
            token="t",
        )


def test_above_the_second_persons_own_limit_the_request_waits_for_somebody_else(verb, done, clerk):
    approval = ask(clerk)
    with pytest.raises(LimitExceeded):
        services.approve(approval_id=approval.pk, actor=decider((400, None)))
    approval.refresh_from_db()
    assert (approval.state, done) == (ApprovalState.PENDING, [])
    services.approve(approval_id=approval.pk, actor=decider((500, 600)))
    assert len(done) == 1


def test_what_was_allowed_counts_against_the_day_of_who_allowed_it(verb, clerk):
    boss = decider((500, 600))
    services.approve(approval_id=ask(clerk).pk, actor=boss)
    with pytest.raises(LimitExceeded):
        use(boss, 200, "own")
    use(boss, 100, "own")


def test_what_has_become_impossible_ends_the_request_and_says_why(verb, done, clerk):
    decided = services.approve(approval_id=ask(clerk, refused=True).pk, actor=decider())
    assert (decided.state, decided.outcome) == (ApprovalState.FAILED, "There is no such customer any more.")
    gone = ask(clerk, key="other")
    User.objects.filter(pk=clerk.pk).update(status="suspended")
    decided = services.approve(approval_id=gone.pk, actor=decider())
    assert decided.state == ApprovalState.FAILED
    assert done == []


def test_asking_twice_with_one_token_asks_once(verb, clerk):
    assert ask(clerk).pk == ask(clerk).pk
    assert Approval.objects.count() == AuditEntry.objects.count() == 1


def test_what_was_done_under_a_key_is_not_asked_for_under_it_nor_the_other_way_round(verb, clerk):
    use(clerk, 5, "done")
    with pytest.raises(TokenReused, match="done before"):
        ask(clerk, key="done")
    ask(clerk, key="asked")
    with pytest.raises(TokenReused):
        use(clerk, 5, "asked")
    assert list(Approval.objects.values_list("token", flat=True)) == ["asked"]


def test_only_who_asked_may_withdraw(verb, clerk):
    approval = ask(clerk)
    with pytest.raises(NotAllowed):
        services.withdraw(approval_id=approval.pk, actor=decider())
    services.withdraw(approval_id=approval.pk, actor=clerk)
    assert list(selectors.waiting_for(decider())) == []
    with pytest.raises(WrongState):
        services.approve(approval_id=approval.pk, actor=decider())


def test_a_request_expires_and_can_then_not_be_allowed(verb, done, clerk, monkeypatch):
    monkeypatch.setattr("jobs.services.approvals.OPEN_FOR", -services.approvals.OPEN_FOR)
    approval = ask(clerk)
    with pytest.raises(WrongState):
        services.approve(approval_id=approval.pk, actor=decider())
    assert services.expire_approvals() == 1
    approval.refresh_from_db()
    assert (approval.state, done) == (ApprovalState.EXPIRED, [])


def test_a_request_that_cannot_end_keeps_no_other_from_expiring(clerk, monkeypatch):
    def given_up(params, why):
        if params["amount"] == "1":
            raise ZeroDivisionError

    monkeypatch.setattr("jobs.services.approvals.OPEN_FOR", -services.approvals.OPEN_FOR)
    with kinds.offered(approvable_verbs, kinds.giving(lambda params, **told: "Given.", given_up=given_up)):
        stuck, other = ask(clerk, amount="1"), ask(clerk, key="second")
        assert services.expire_approvals() == 1
    stuck.refresh_from_db()
    other.refresh_from_db()
    assert (stuck.state, other.state) == (ApprovalState.PENDING, ApprovalState.EXPIRED)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE jobs_approval SET amount = 1",
        "UPDATE jobs_approval SET params = '{}'",
        "DELETE FROM jobs_approval",
        "UPDATE jobs_limituse SET amount = 0",
        "DELETE FROM jobs_limituse",
        "TRUNCATE jobs_limituse",
    ],
)
def test_what_was_asked_for_and_used_cannot_be_rewritten(verb, clerk, statement):
    ask(clerk)
    with pytest.raises(Exception, match="permission denied"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.django_db(transaction=True)
def test_two_who_allow_at_once_do_it_once(verb, done, clerk):
    approval, bosses = ask(clerk), [decider() for _ in range(6)]
    outcomes = at_once(
        [lambda boss=boss: services.approve(approval_id=approval.pk, actor=boss).state for boss in bosses]
    )
    assert outcomes.count(ApprovalState.APPROVED) == 1
    assert sum(isinstance(outcome, WrongState) for outcome in outcomes) == 5
    assert len(done) == 1
