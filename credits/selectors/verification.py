"""The proof of the ledger: SQL over all accounts that names each row which breaks a rule."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection


@dataclass(frozen=True)
class Fault:
    """A broken row. ``rule`` says what should hold, ``detail`` what was found."""

    rule: str
    account_id: int
    row_id: int
    detail: str


# Each query answers account, row and detail of the rows that break its rule, and nothing when all is well.
RULES = {
    "the entries of an account are numbered 1, 2, 3 without a gap": """
        SELECT account_id, id, format('seq %s follows %s', seq, before)
        FROM (SELECT account_id, id, seq, lag(seq, 1, 0::bigint) OVER (PARTITION BY account_id ORDER BY seq) AS before
              FROM credits_credittransaction) AS entry
        WHERE seq <> before + 1
    """,
    "each entry starts from the balance that the one before it left": """
        SELECT account_id, id, format('balance_before is %s after %s', balance_before, left_behind)
        FROM (SELECT account_id, id, balance_before,
                     lag(balance_after, 1, 0) OVER (PARTITION BY account_id ORDER BY seq) AS left_behind
              FROM credits_credittransaction) AS entry
        WHERE balance_before <> left_behind
    """,
    "no entry is dated before its predecessor": """
        SELECT account_id, id, format('%s is before %s', created_at, before)
        FROM (SELECT account_id, id, created_at,
                     lag(created_at) OVER (PARTITION BY account_id ORDER BY seq) AS before
              FROM credits_credittransaction) AS entry
        WHERE created_at < before
    """,
    "the account stands at the sum and the number of its entries": """
        SELECT account.user_id, account.user_id,
               format('balance %s, entries add up to %s; seq %s, entries %s', balance, total, seq, number)
        FROM credits_creditaccount AS account
        CROSS JOIN LATERAL (SELECT coalesce(sum(amount), 0) AS total, count(*) AS number
                            FROM credits_credittransaction WHERE account_id = account.user_id) AS entries
        WHERE balance <> total OR seq <> number
    """,
    "the balance is what remains in the lots": """
        SELECT account.user_id, account.user_id, format('lots_total %s, lots hold %s', lots_total, total)
        FROM credits_creditaccount AS account
        CROSS JOIN LATERAL (SELECT coalesce(sum(remaining), 0) AS total
                            FROM credits_creditlot WHERE account_id = account.user_id) AS lots
        WHERE balance <> total OR lots_total <> total
    """,
    "what remains of a lot is its amount less its draws": """
        SELECT lot.account_id, lot.id, format('remaining %s of %s, draws %s', lot.remaining, lot.amount, draws.total)
        FROM credits_creditlot AS lot
        CROSS JOIN LATERAL (SELECT coalesce(sum(amount), 0) AS total
                            FROM credits_creditdraw WHERE lot_id = lot.id) AS draws
        WHERE lot.remaining <> lot.amount - draws.total
    """,
    "an entry that takes is covered by its draws": """
        SELECT entry.account_id, entry.id, format('amount %s, draws %s', entry.amount, draws.total)
        FROM credits_credittransaction AS entry
        CROSS JOIN LATERAL (SELECT coalesce(sum(amount), 0) AS total
                            FROM credits_creditdraw WHERE transaction_id = entry.id) AS draws
        WHERE entry.amount < 0 AND -entry.amount <> draws.total
    """,
    "an entry that adds has opened a lot of its amount": """
        SELECT entry.account_id, entry.id, format('amount %s, lot of %s', entry.amount, coalesce(lot.amount, 0))
        FROM credits_credittransaction AS entry
        LEFT JOIN credits_creditlot AS lot ON lot.transaction_id = entry.id
        WHERE entry.amount > 0 AND lot.amount IS DISTINCT FROM entry.amount
    """,
    "an entry that adds draws on nothing": """
        SELECT entry.account_id, entry.id, format('it has a draw of %s on lot %s', draw.amount, draw.lot_id)
        FROM credits_credittransaction AS entry
        JOIN credits_creditdraw AS draw ON draw.transaction_id = entry.id
        WHERE entry.amount > 0
    """,
    "a lot is of the account and the kind of the entry that opened it": """
        SELECT lot.account_id, lot.id,
               format('%s lot of account %s, %s entry of account %s',
                      lot.source_kind, lot.account_id, entry.kind, entry.account_id)
        FROM credits_creditlot AS lot
        JOIN credits_credittransaction AS entry ON entry.id = lot.transaction_id
        WHERE lot.account_id <> entry.account_id OR lot.source_kind <> entry.kind
    """,
    "lifetime figures are the sums of purchases and of usage": """
        SELECT account.user_id, account.user_id,
               format('purchased %s of %s, consumed %s of %s', lifetime_purchased, bought, lifetime_consumed, used)
        FROM credits_creditaccount AS account
        CROSS JOIN LATERAL (SELECT coalesce(sum(amount) FILTER (WHERE kind = 'purchase'), 0) AS bought,
                                   coalesce(-sum(amount) FILTER (WHERE kind = 'usage'), 0) AS used
                            FROM credits_credittransaction WHERE account_id = account.user_id) AS entries
        WHERE lifetime_purchased <> bought OR lifetime_consumed <> used
    """,
    "the account was last posted to when its last entry was made": """
        SELECT account.user_id, account.user_id, format('%s, last entry %s', last_posted_at, latest)
        FROM credits_creditaccount AS account
        CROSS JOIN LATERAL (SELECT max(created_at) AS latest
                            FROM credits_credittransaction WHERE account_id = account.user_id) AS entries
        WHERE last_posted_at IS DISTINCT FROM latest
    """,
    "a draw is on a lot of its own account": """
        SELECT lot.account_id, draw.id, format('draw of entry %s of account %s', entry.id, entry.account_id)
        FROM credits_creditdraw AS draw
        JOIN credits_creditlot AS lot ON lot.id = draw.lot_id
        JOIN credits_credittransaction AS entry ON entry.id = draw.transaction_id
        WHERE entry.account_id <> lot.account_id
    """,
    "no entry belongs to a demo customer": """
        SELECT entry.account_id, entry.id, format('%s of %s', entry.kind, entry.amount)
        FROM credits_credittransaction AS entry
        JOIN accounts_user AS person ON person.id = entry.account_id
        WHERE person.demo_mode
    """,
    "every person has figures": """
        SELECT person.id, person.id, 'there is no row of figures'
        FROM accounts_user AS person
        LEFT JOIN accounts_customerfigures AS figures ON figures.user_id = person.id
        WHERE figures.user_id IS NULL
    """,
    "the balance beside the person is that of the account": """
        SELECT figures.user_id, figures.user_id,
               format('figures say %s, the account %s', figures.balance, coalesce(account.balance, 0))
        FROM accounts_customerfigures AS figures
        LEFT JOIN credits_creditaccount AS account ON account.user_id = figures.user_id
        WHERE figures.balance <> coalesce(account.balance, 0)
    """,
    "the figures copied from the person are that person's": """
        SELECT person.id, person.id, 'status, plan, country, source, joined or last_active_at differ'
        FROM accounts_customerfigures AS figures
        JOIN accounts_user AS person ON person.id = figures.user_id
        WHERE (figures.status, figures.plan, figures.country, figures.source, figures.joined, figures.last_active_at)
            IS DISTINCT FROM (person.status, person.plan, person.country, person.signup_source, person.date_joined,
                              coalesce(person.last_active_at, person.date_joined))
    """,
}


def verify() -> Iterator[Fault]:
    """Check every rule over all accounts and yield each row that breaks one."""
    with connection.cursor() as cursor:
        for rule, query in RULES.items():
            cursor.execute(query)
            for account_id, row_id, detail in cursor:
                yield Fault(rule, account_id, row_id, detail)
