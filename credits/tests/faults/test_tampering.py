"""Rows that the owner edits by hand: the proof of the ledger names each, rule by rule."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from audit.models import AuditEntry
from backoffice.lib import clock
from credits import selectors, services, tasks
from credits.kinds import TransactionKind
from credits.tests.faults.acts import buy, general_charge, give, plain_charge
from tests import databases
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = timedelta(hours=1)


@pytest.fixture
def ledger():
    """A customer with entries of every kind of act, and another one beside.

    1 gift of 100 that lapses, 2 usage 30, 3 purchase of 50, 4 its reversal, 5 the reinstatement, 6 usage 10 (captured),
    7 usage 60, 8 expiry of what is left of the gift, 9 refund of 2 into a lot of its own, 10 purchase of 20, all of
    which is spent by 11, and taken back by the chargeback 12, as debt.
    """
    user_id, other = CustomerFactory().pk, CustomerFactory().pk
    now = clock.now()
    give(other, 10, "other")
    general_charge(other, 1, "others")
    give(user_id, 100, "gift", expires_at=now + 2 * HOUR)
    used = plain_charge(user_id, 30, "used").transaction_id
    bought = buy(user_id, 50).transaction_id
    reversal = claw_back(bought, 50, TransactionKind.REVERSAL)
    services.reinstate(transaction_id=reversal, idempotency_key="test:reinstated")
    held = services.place_hold(user_id=user_id, amount=Decimal(15), idempotency_key="test:held")
    services.capture_hold(hold_id=held.hold_id, amount=Decimal(10), idempotency_key="test:captured")
    plain_charge(user_id, 50, "lots")
    with clock.at(now + 3 * HOUR):
        services.expire_credits()
        services.refund_usage(transaction_id=used, amount=Decimal(2), reason="", idempotency_key="test:refund")
        last = buy(user_id, 20, "last").transaction_id
        services.place_hold(user_id=user_id, amount=Decimal(52), idempotency_key="test:open")
        general_charge(user_id, 20, "all")
        claw_back(last, 20, TransactionKind.CHARGEBACK)
    return user_id


def claw_back(purchase, amount, kind):
    return services.claw_back(
        transaction_id=purchase, amount=Decimal(amount), kind=kind, idempotency_key=f"test:{kind}"
    ).transaction_id


EDITED = ("credittransaction", "creditdraw", "creditlot", "creditaccount", "creditdebt", "credithold")


def edit(statements, user_id):
    """What the owner does after taking the guards off."""
    with databases.owner_connection(settings.DATABASES["default"]["NAME"]) as connection:
        for table in EDITED:
            connection.execute(f"ALTER TABLE credits_{table} DISABLE TRIGGER USER")
        for statement in statements:
            connection.execute(statement.replace(":user", str(user_id)))
        guards = connection.execute(
            "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'D'"
        ).fetchall()
        for table, trigger in guards:
            connection.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}")


def of_entry(seq):
    return f"(SELECT id FROM credits_credittransaction WHERE account_id = :user AND seq = {seq})"


OTHERS_USAGE = "(SELECT id FROM credits_credittransaction WHERE account_id <> :user AND seq = 2)"
OTHERS_LOT = "(SELECT id FROM credits_creditlot WHERE account_id <> :user)"
LOT = "(SELECT max(id) FROM credits_creditlot WHERE account_id = :user)"
MINE = "WHERE user_id = :user"
ENTRY = "WHERE account_id = :user AND seq ="
LOT_OF = "WHERE transaction_id ="
T, L, D, A = "credits_credittransaction", "credits_creditlot", "credits_creditdraw", "credits_creditaccount"

TAMPERING = {
    "the entries of an account are numbered 1, 2, 3 without a gap": [f"UPDATE {T} SET seq = 50 {ENTRY} 2"],
    "each entry starts from the balance that the one before it left": [
        f"UPDATE {T} SET amount = amount - 1, balance_after = balance_after - 1 {ENTRY} 2"
    ],
    "no entry is dated before its predecessor": [f"UPDATE {T} SET created_at = '2001-01-01' {ENTRY} 2"],
    "the account stands at the sum and the number of its entries": [f"UPDATE {A} SET seq = seq + 1 {MINE}"],
    "the balance is what remains in the lots less what is owed": [
        f"UPDATE {A} SET balance = balance + 1, debt = debt - 1 {MINE}"
    ],
    "what is held is the sum of the open holds": [
        "UPDATE credits_credithold SET amount = amount - 1 WHERE account_id = :user AND state = 'open'"
    ],
    "what remains of a lot is its amount less its draws": [
        f"UPDATE {L} SET remaining = remaining + 1 {LOT_OF} {of_entry(10)}"
    ],
    "an entry that takes is covered by its draws and its debt": [
        f"UPDATE {D} SET amount = amount - 1 WHERE transaction_id = {of_entry(2)}"
    ],
    "only a clawback of the same account leaves a debt, and none above its amount": [
        f"UPDATE credits_creditdebt SET transaction_id = {of_entry(11)} WHERE account_id = :user"
    ],
    "an entry that adds has opened lots or given back to them, in all its amount": [
        f"UPDATE {L} SET amount = amount + 1 {LOT_OF} {of_entry(1)}"
    ],
    "only an entry that adds opens lots": [f"UPDATE {L} SET transaction_id = {of_entry(2)} {LOT_OF} {of_entry(1)}"],
    "what adds gives back to lots and what takes draws on them": [
        f"UPDATE {D} SET amount = -amount WHERE transaction_id = {of_entry(2)}"
    ],
    "an entry gives or takes back one of its own account and of the kind that fits": [
        f"UPDATE {T} SET reverses_id = {of_entry(1)} {ENTRY} 9"
    ],
    "what was given or taken back of an entry never exceeds it": [
        f"UPDATE {T} SET amount = 31, balance_after = balance_before + 31 {ENTRY} 9"
    ],
    "what is given back to a lot is no more than was drawn from it": [
        f"INSERT INTO {D} (transaction_id, lot_id, amount, created_at) SELECT {of_entry(9)}, {LOT}, -1, now()"
    ],
    "what a key answers is the entry that it made": [
        "UPDATE credits_idempotencyrecord SET result = jsonb_set(result, '{amount}', '\"-1\"') WHERE key = 'test:used'"
    ],
    "a captured hold is spent by a usage of its account and amount": [
        "UPDATE credits_credithold SET captured = captured - 1 WHERE account_id = :user AND state = 'captured'"
    ],
    "a lot comes from one of its own account that came from no other": [
        f"UPDATE {L} SET parent_id = {OTHERS_LOT} WHERE account_id = :user AND parent_id IS NOT NULL"
    ],
    "a lot is of the account and the kind of the entry that opened it": [
        f"UPDATE {L} SET source_kind = 'bonus' {LOT_OF} {of_entry(1)}"
    ],
    "lifetime and period figures are the sums of purchases and of usage less refunds": [
        f"UPDATE {A} SET current_period_consumed = current_period_consumed + 1 {MINE}"
    ],
    "the account was last posted to when its last entry was made": [
        f"UPDATE {A} SET last_posted_at = last_posted_at + interval '1 s' {MINE}"
    ],
    "a draw is on a lot of its own account": [f"UPDATE {D} SET lot_id = {LOT} WHERE transaction_id = {OTHERS_USAGE}"],
    "no entry belongs to a demo customer": ["UPDATE accounts_user SET demo_mode = true WHERE id = :user"],
    "every person has figures": ["DELETE FROM accounts_customerfigures WHERE user_id = :user"],
    "the balance beside the person is that of the account": [
        "UPDATE accounts_customerfigures SET balance = balance + 1 WHERE user_id = :user"
    ],
    "the figures copied from the person are that person's": [
        "UPDATE accounts_customerfigures SET plan = 'gold' WHERE user_id = :user"
    ],
    "each person is found by their own words": [
        "UPDATE accounts_customersearch SET document = '' WHERE user_id = :user"
    ],
}
# Other ways to break some of the same rules.
MORE = [
    ("an entry gives or takes back one of its own account and of the kind that fits",
     f"UPDATE {T} SET reverses_id = {OTHERS_USAGE} {ENTRY} 9"),
    ("an entry gives or takes back one of its own account and of the kind that fits",
     f"UPDATE {T} SET reverses_id = {of_entry(11)} {ENTRY} 9"),
    ("what was given or taken back of an entry never exceeds it",
     f"UPDATE {T} SET amount = -21, balance_after = balance_before - 21 {ENTRY} 12"),
    ("an entry that takes is covered by its draws and its debt",
     "UPDATE credits_creditdebt SET remaining = remaining - 1"),
    ("the balance is what remains in the lots less what is owed",
     "UPDATE credits_creditdebt SET remaining = remaining - 1"),
    ("only a clawback of the same account leaves a debt, and none above its amount",
     "UPDATE credits_creditdebt SET amount = amount + 1"),
    ("a captured hold is spent by a usage of its account and amount",
     f"UPDATE credits_credithold SET transaction_id = {OTHERS_USAGE} WHERE state = 'captured'"),
    ("a lot comes from one of its own account that came from no other",
     f"UPDATE {L} SET parent_id = (SELECT max(id) FROM {L} WHERE parent_id IS NOT NULL) WHERE parent_id IS NOT NULL"),
    ("lifetime and period figures are the sums of purchases and of usage less refunds",
     f"UPDATE {A} SET lifetime_purchased = lifetime_purchased + 1 {MINE}"),
    ("lifetime and period figures are the sums of purchases and of usage less refunds",
     f"UPDATE {A} SET period_seq = period_seq + 2 {MINE}"),
    ("the account stands at the sum and the number of its entries",
     f"UPDATE {A} SET balance = balance - 1, debt = debt + 1 {MINE}"),
    ("each person is found by their own words", "DELETE FROM accounts_customersearch WHERE user_id = :user"),
    ("each person is found by their own words",
     "UPDATE accounts_customersearch SET joined = joined - interval '1 s' WHERE user_id = :user"),
]  # fmt: skip


def test_every_rule_is_seen_to_bite():
    assert set(TAMPERING) == set(selectors.RULES)


def test_the_proof_is_content_with_an_honest_ledger(ledger, capsys):
    call_command("verify_ledger")
    assert capsys.readouterr().out.startswith(f"ok: 2 accounts, {len(selectors.RULES)} rules")


def test_the_audit_log_tells_of_a_proof_from_the_shell_and_not_of_the_nightly_one(ledger):
    tasks.verify_ledger()
    call_command("verify_ledger")
    entry = AuditEntry.objects.get(action="credits.verify_ledger")
    assert (entry.actor_label, entry.new_values) == ("system", {"faults": 0})


@pytest.mark.parametrize(
    ("rule", "statements"), [*TAMPERING.items(), *[(rule, [statement]) for rule, statement in MORE]]
)
def test_the_proof_names_the_row_that_was_edited_by_hand(ledger, rule, statements, capsys):
    edit(statements, ledger)
    with pytest.raises(CommandError, match="broken rows"):
        call_command("verify_ledger")
    told = [line for line in capsys.readouterr().err.splitlines() if f": {rule};" in line]
    assert told, "this rule did not see it"
    assert any(line.startswith(f"account {ledger}, row") for line in told)
