"""The figures beside customers, edited by hand: the proof names each, with what it should be."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.urls import reverse

from accounts import selectors, tasks
from accounts.models import CustomerFigures, FiguresProof
from accounts.proving import wrong_figures_badge
from accounts.services import merge_customers, record_activity
from audit.models import AuditEntry
from backoffice.lib import clock
from backoffice.lib.admin.proofs import PROOF_LASTS
from backoffice.lib.proving import KEPT_FINDINGS, FigureRule, figure_rules
from billing.services.payments import PaymentDetails, Purchase, book_payment
from jobs.tests.kinds import offered
from tests import databases
from tests.factories import CustomerFactory, StaffFactory
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)

LIST = reverse("admin:accounts_figuresproof_changelist")
# Columns that `verify_ledger` proves: the key, the balance and what is copied from the person.
PROVEN_WITH_THE_LEDGER = {"user", "balance", "status", "plan", "country", "source", "joined"}


def pay(user, amount_minor, key, currency="USD"):
    details = PaymentDetails(paid_at=clock.now())
    return book_payment(
        purchase=Purchase(
            user_id=user.pk,
            stripe_payment_id=f"pi_{key}",
            amount_minor=amount_minor,
            currency=currency,
            credits=Decimal(10),
            details=details,
        )
    )


@pytest.fixture
def payer():
    """Somebody who paid twice, and once in another currency, beside one who paid and one who did not."""
    payer, other, _idle = CustomerFactory.create_batch(3)
    pay(payer, 700, "one")
    pay(payer, 300, "two")
    pay(payer, 9_000, "yen", currency="JPY")
    pay(other, 500, "other")
    return payer


def edit_by_hand(statement):
    with databases.owner_connection(settings.DATABASES["default"]["NAME"]) as owner:
        owner.execute(statement)


def complaints(capsys):
    with pytest.raises(CommandError, match="1 wrong figures of 3 customers"):
        call_command("verify_figures")
    return capsys.readouterr().err.splitlines()


def test_honest_figures_are_proven(payer, capsys):
    call_command("verify_figures")
    assert capsys.readouterr().out == "ok: 3 customers, 3 rules\n"


def test_a_spend_that_was_edited_is_named_with_what_was_paid(payer, capsys):
    edit_by_hand(f"UPDATE accounts_customerfigures SET spend_minor = 999 WHERE user_id = {payer.pk}")
    assert complaints(capsys) == [
        f"customer {payer.pk}: what a customer spent is what is left of their payments after refunds and disputes; "
        "spend_minor is 999, and the payments in USD make 1000"
    ]


def test_a_spend_without_any_payment_is_named(payer, capsys):
    idle = CustomerFigures.objects.get(spend_minor=0).pk
    edit_by_hand(f"UPDATE accounts_customerfigures SET spend_minor = 1 WHERE user_id = {idle}")
    [line] = complaints(capsys)
    assert line.startswith(f"customer {idle}: ")
    assert line.endswith("spend_minor is 1, and the payments in USD make 0")


def test_a_figure_that_nothing_counts_yet_is_0(payer, capsys):
    edit_by_hand(f"UPDATE accounts_customerfigures SET total_generations = 4 WHERE user_id = {payer.pk}")
    assert complaints(capsys) == [
        f"customer {payer.pk}: nobody has total_generations yet; "
        "total_generations is 4, and it is 0 as long as no app counts it"
    ]


def test_an_app_that_counts_a_figure_proves_it_by_a_rule_of_its_own(payer, capsys):
    rule = FigureRule(
        key="test.generations",
        figure="total_generations",
        rule="everybody has 4",
        query="SELECT user_id, 'it is not %%' || %(wanted)s::text FROM accounts_customerfigures"
        " WHERE total_generations <> %(wanted)s AND user_id = %(user)s",
        parameters=lambda: {"wanted": 4, "user": payer.pk},
    )
    with offered(figure_rules, rule):
        edit_by_hand("UPDATE accounts_customerfigures SET total_generations = 4")
        call_command("verify_figures")
        edit_by_hand("UPDATE accounts_customerfigures SET total_generations = 5")
        assert complaints(capsys) == [f"customer {payer.pk}: everybody has 4; it is not %4"]


def test_who_did_something_after_they_were_last_active_is_named(payer, capsys):
    edit_by_hand(f"UPDATE accounts_user SET last_active_at = '2020-01-01' WHERE id = {payer.pk}")
    [line] = complaints(capsys)
    assert line.startswith(f"customer {payer.pk}: nobody did anything after they were last active, to five minutes; ")
    assert "last_active_at is 2020-01-01" in line


def test_acts_within_the_five_minutes_and_those_of_a_clock_that_runs_ahead_are_no_fault(payer, capsys):
    now = clock.now()
    for minutes in (0, 4, 24 * 60):
        record_activity(event_id=f"e{minutes}", action="view", user_id=payer.pk, at=now + timedelta(minutes=minutes))
    call_command("verify_figures")
    assert capsys.readouterr().out.startswith("ok: ")


def test_what_somebody_spent_before_they_were_merged_counts_for_who_stays(payer, capsys):
    other = CustomerFactory()
    pay(other, 40, "merged")
    merge_customers(survivor_id=payer.pk, merged_id=other.pk, reason="the same person", actor=StaffFactory())
    assert CustomerFigures.objects.get(pk=payer.pk).spend_minor == 1_040
    call_command("verify_figures")
    edit_by_hand(f"UPDATE accounts_customerfigures SET spend_minor = 40 WHERE user_id = {other.pk}")
    with pytest.raises(CommandError, match="1 wrong figures"):
        call_command("verify_figures")
    assert f"customer {other.pk}: " in capsys.readouterr().err


def test_payments_of_one_who_was_merged_meanwhile_count_for_who_stays_also_beside_payments_of_theirs(payer):
    other = CustomerFactory()
    merge_customers(survivor_id=payer.pk, merged_id=other.pk, reason="the same person", actor=StaffFactory())
    calls = [
        lambda user=user, number=number: pay(user, 1, f"late-{user.pk}-{number}")
        for number in range(10)
        for user in (payer, other)
    ]
    assert [type(answer).__name__ for answer in at_once(calls)] == ["Payment"] * 20
    assert CustomerFigures.objects.get(pk=payer.pk).spend_minor == 1_020
    call_command("verify_figures")


def test_each_figure_is_proven_by_somebody():
    columns = {field.name for field in CustomerFigures._meta.fields}
    assert columns == PROVEN_WITH_THE_LEDGER | {rule.figure for rule in selectors.rules_of_figures()}


def test_a_night_keeps_what_it_found_and_writes_nothing_into_the_audit_log(payer):
    edit_by_hand("UPDATE accounts_customerfigures SET spend_minor = spend_minor + 1")
    tasks.verify_figures()
    proof = FiguresProof.objects.get()
    assert (proof.source, proof.customers, proof.faults) == ("beat", 3, 3)
    assert {finding["customer"] for finding in proof.findings} == set(
        CustomerFigures.objects.values_list("pk", flat=True)
    )
    assert not AuditEntry.objects.filter(action="accounts.verify_figures").exists()


def test_of_many_wrong_figures_all_are_counted_and_the_first_are_kept():
    CustomerFactory.create_batch(KEPT_FINDINGS + 1)
    edit_by_hand("UPDATE accounts_customerfigures SET spend_minor = 1")
    tasks.verify_figures()
    proof = FiguresProof.objects.get()
    assert (proof.faults, len(proof.findings)) == (KEPT_FINDINGS + 1, KEPT_FINDINGS)


def test_what_staff_ask_for_is_audited_and_answered_once(payer):
    member, asked_at = StaffFactory(), clock.now().isoformat()
    for _ in range(2):
        tasks.verify_figures_for(member.pk, asked_at)
    entry = AuditEntry.objects.get(action="accounts.verify_figures")
    assert (entry.actor_id, entry.new_values) == (member.pk, {"customers": 4, "faults": 0})
    assert FiguresProof.objects.get().source == "staff"


def kept(**more):
    now = clock.now()
    return FiguresProof.objects.create(
        **{"source": "beat", "started_at": now, "finished_at": now, "customers": 3, "faults": 0, **more}
    )


@pytest.mark.parametrize(
    ("faults", "age", "badge"), [(0, PROOF_LASTS / 2, 0), (3, PROOF_LASTS / 2, 3), (0, PROOF_LASTS * 2, 1)]
)
def test_the_badge_warns_of_wrong_figures_and_of_a_proof_that_is_old(faults, age, badge):
    assert wrong_figures_badge() == 0
    kept(faults=faults, started_at=clock.now() - age)
    assert wrong_figures_badge() == badge


def test_the_page_of_a_proof_tells_what_was_found_and_leads_to_the_customer(client):
    client.force_login(StaffFactory(permissions=["accounts.view_figuresproof"]))
    finding = {"rule": "<script>alert(1)</script>", "customer": 7, "detail": "off by 1"}
    proof = kept(faults=2, findings=[finding])
    page = client.get(reverse("admin:accounts_figuresproof_change", args=[proof.pk])).content.decode()
    assert "off by 1" in page
    assert "The first 1 of 2." in page
    assert "<script>alert(1)" not in page
    assert reverse("admin:accounts_customer_change", args=[7]) in page
    assert "Broken" in client.get(LIST).content.decode()
    assert client.post(reverse("admin:accounts_figuresproof_check")).status_code == 403
