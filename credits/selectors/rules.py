"""What holds in a sound ledger, as SQL that finds the rows where it does not."""

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
    "the balance is what remains in the lots less what is owed": """
        SELECT account.user_id, account.user_id,
               format('balance %s, lots_total %s, lots hold %s; debt %s, debts are %s',
                      balance, lots_total, lots.total, debt, debts.total)
        FROM credits_creditaccount AS account
        CROSS JOIN LATERAL (SELECT coalesce(sum(remaining), 0) AS total
                            FROM credits_creditlot WHERE account_id = account.user_id) AS lots
        CROSS JOIN LATERAL (SELECT coalesce(sum(remaining), 0) AS total
                            FROM credits_creditdebt WHERE account_id = account.user_id) AS debts
        WHERE balance <> lots.total - debts.total OR lots_total <> lots.total OR debt <> debts.total
    """,
    "what is held is the sum of the open holds": """
        SELECT account.user_id, account.user_id, format('held %s, open holds %s', held, holds.total)
        FROM credits_creditaccount AS account
        CROSS JOIN LATERAL (SELECT coalesce(sum(amount), 0) AS total
                            FROM credits_credithold WHERE account_id = account.user_id AND state = 'open') AS holds
        WHERE held <> holds.total
    """,
    "what remains of a lot is its amount less its draws": """
        SELECT lot.account_id, lot.id, format('remaining %s of %s, draws %s', lot.remaining, lot.amount, draws.total)
        FROM credits_creditlot AS lot
        CROSS JOIN LATERAL (SELECT coalesce(sum(amount), 0) AS total
                            FROM credits_creditdraw WHERE lot_id = lot.id) AS draws
        WHERE lot.remaining <> lot.amount - draws.total
    """,
    "an entry that takes is covered by its draws and its debt": """
        SELECT entry.account_id, entry.id,
               format('amount %s, draws %s, debt %s', entry.amount, draws.total, coalesce(debt.remaining, 0))
        FROM credits_credittransaction AS entry
        CROSS JOIN LATERAL (SELECT coalesce(sum(amount), 0) AS total
                            FROM credits_creditdraw WHERE transaction_id = entry.id) AS draws
        LEFT JOIN credits_creditdebt AS debt ON debt.transaction_id = entry.id
        WHERE entry.amount < 0 AND -entry.amount <> draws.total + coalesce(debt.remaining, 0)
    """,
    "only a clawback of the same account leaves a debt, and none above its amount": """
        SELECT debt.account_id, debt.id, format('debt of %s by %s of %s', debt.amount, entry.kind, entry.amount)
        FROM credits_creditdebt AS debt
        JOIN credits_credittransaction AS entry ON entry.id = debt.transaction_id
        WHERE entry.account_id <> debt.account_id OR entry.kind NOT IN ('reversal', 'chargeback')
           OR debt.amount > -entry.amount
    """,
    "an entry that adds has opened lots or given back to them, in all its amount": """
        SELECT entry.account_id, entry.id,
               format('amount %s, lots of %s, given back %s', entry.amount, opened.total, -draws.total)
        FROM credits_credittransaction AS entry
        CROSS JOIN LATERAL (SELECT coalesce(sum(amount), 0) AS total
                            FROM credits_creditlot WHERE transaction_id = entry.id) AS opened
        CROSS JOIN LATERAL (SELECT coalesce(sum(amount), 0) AS total
                            FROM credits_creditdraw WHERE transaction_id = entry.id) AS draws
        WHERE entry.amount > 0 AND entry.amount <> opened.total - draws.total
    """,
    "only an entry that adds opens lots": """
        SELECT lot.account_id, lot.id, format('opened by %s of %s', entry.kind, entry.amount)
        FROM credits_creditlot AS lot
        JOIN credits_credittransaction AS entry ON entry.id = lot.transaction_id
        WHERE entry.amount < 0
    """,
    "what adds gives back to lots and what takes draws on them": """
        SELECT entry.account_id, entry.id, format('%s has a draw of %s on lot %s', entry.kind, draw.amount, draw.lot_id)
        FROM credits_credittransaction AS entry
        JOIN credits_creditdraw AS draw ON draw.transaction_id = entry.id
        WHERE sign(entry.amount) = sign(draw.amount)
    """,
    "an entry gives or takes back one of its own account and of the kind that fits": """
        SELECT later.account_id, later.id, format('%s of entry %s, a %s', later.kind, first.id, first.kind)
        FROM credits_credittransaction AS later
        JOIN credits_credittransaction AS first ON first.id = later.reverses_id
        WHERE later.account_id <> first.account_id OR later.seq <= first.seq OR NOT CASE later.kind
            WHEN 'refund' THEN first.kind = 'usage'
            WHEN 'reinstatement' THEN first.kind IN ('reversal', 'chargeback') AND later.amount = -first.amount
            WHEN 'reversal' THEN first.kind = 'purchase'
            WHEN 'chargeback' THEN first.kind = 'purchase'
            WHEN 'adjustment' THEN sign(later.amount) = -sign(first.amount)
            ELSE false END
    """,
    "what was given or taken back of an entry never exceeds it": """
        SELECT first.account_id, first.id, format('%s of %s was undone by %s', first.kind, first.amount, sum(
                   abs(later.amount) - coalesce(undoing.total, 0)))
        FROM credits_credittransaction AS first
        JOIN credits_credittransaction AS later ON later.reverses_id = first.id
        CROSS JOIN LATERAL (SELECT sum(amount) AS total FROM credits_credittransaction
                            WHERE reverses_id = later.id AND kind = 'reinstatement') AS undoing
        WHERE first.kind NOT IN ('gift', 'bonus', 'referral', 'redemption', 'allowance', 'adjustment')
        GROUP BY first.id
        HAVING sum(abs(later.amount) - coalesce(undoing.total, 0)) > abs(first.amount)
    """,
    "what is given back to a lot is no more than was drawn from it": """
        SELECT first.account_id, first.id,
               format('%s given back to lot %s, %s drawn', given.total, given.lot_id, coalesce(drawn.total, 0))
        FROM (SELECT later.reverses_id, draw.lot_id, -sum(draw.amount) AS total
              FROM credits_creditdraw AS draw
              JOIN credits_credittransaction AS later ON later.id = draw.transaction_id
              WHERE draw.amount < 0 GROUP BY later.reverses_id, draw.lot_id) AS given
        JOIN credits_credittransaction AS first ON first.id = given.reverses_id
        CROSS JOIN LATERAL (SELECT sum(amount) AS total FROM credits_creditdraw
                            WHERE transaction_id = first.id AND lot_id = given.lot_id AND amount > 0) AS drawn
        WHERE given.total > coalesce(drawn.total, 0)
    """,
    "what a key answers is the entry that it made": """
        SELECT coalesce(entry.account_id, 0), coalesce(entry.id, 0),
               format('key %s says entry %s, number %s, of %s', told.key, told.entry_id, told.seq, told.amount)
        FROM (SELECT key, (result->>'id')::bigint AS entry_id, (result->>'seq')::bigint AS seq,
                     (result->>'amount')::numeric AS amount, (result->>'balance_after')::numeric AS balance_after
              FROM credits_idempotencyrecord WHERE result->>'id' IS NOT NULL AND NOT result ? 'hold') AS told
        LEFT JOIN credits_credittransaction AS entry ON entry.id = told.entry_id
        WHERE (entry.seq, entry.amount, entry.balance_after)
              IS DISTINCT FROM (told.seq, told.amount, told.balance_after)
    """,
    "a captured hold is spent by a usage of its account and amount": """
        SELECT hold.account_id, hold.id, format('captured %s by %s of %s', hold.captured, entry.kind, entry.amount)
        FROM credits_credithold AS hold
        JOIN credits_credittransaction AS entry ON entry.id = hold.transaction_id
        WHERE entry.account_id <> hold.account_id OR entry.kind <> 'usage' OR entry.amount <> -hold.captured
    """,
    "a lot comes from one of its own account that came from no other": """
        SELECT lot.account_id, lot.id, format('parent %s of account %s', parent.id, parent.account_id)
        FROM credits_creditlot AS lot
        JOIN credits_creditlot AS parent ON parent.id = lot.parent_id
        WHERE parent.account_id <> lot.account_id OR parent.parent_id IS NOT NULL
    """,
    "a lot is of the account and the kind of the entry that opened it": """
        SELECT lot.account_id, lot.id,
               format('%s lot of account %s, %s entry of account %s',
                      lot.source_kind, lot.account_id, entry.kind, entry.account_id)
        FROM credits_creditlot AS lot
        JOIN credits_credittransaction AS entry ON entry.id = lot.transaction_id
        WHERE lot.account_id <> entry.account_id OR lot.source_kind <> entry.kind
    """,
    "lifetime and period figures are the sums of purchases and of usage less refunds": """
        SELECT account.user_id, account.user_id,
               format('purchased %s of %s, consumed %s of %s, in the period %s of %s', lifetime_purchased, bought,
                      lifetime_consumed, used, current_period_consumed, used_lately)
        FROM credits_creditaccount AS account
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(amount) FILTER (WHERE kind = 'purchase'), 0) AS bought,
                   coalesce(-sum(amount) FILTER (WHERE kind IN ('usage', 'refund')), 0) AS used,
                   coalesce(-sum(amount) FILTER (WHERE kind IN ('usage', 'refund')
                                                 AND seq > account.period_seq), 0) AS used_lately
            FROM credits_credittransaction WHERE account_id = account.user_id) AS entries
        WHERE lifetime_purchased <> bought OR lifetime_consumed <> used OR current_period_consumed <> used_lately
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
               format('figures say %s, lists sort by %s, the account has %s', figures.balance, sorted.balance,
                      coalesce(account.balance, 0))
        FROM accounts_customerfigures AS figures
        LEFT JOIN accounts_customerbalance AS sorted ON sorted.user_id = figures.user_id
        LEFT JOIN credits_creditaccount AS account ON account.user_id = figures.user_id
        WHERE figures.balance <> coalesce(account.balance, 0) OR sorted.balance IS DISTINCT FROM figures.balance
    """,
    "the figures copied from the person are that person's": """
        SELECT person.id, person.id, 'status, plan, country, source, joined or last_active_at differ'
        FROM accounts_customerfigures AS figures
        JOIN accounts_user AS person ON person.id = figures.user_id
        WHERE (figures.status, figures.plan, figures.country, figures.source, figures.joined, figures.last_active_at)
            IS DISTINCT FROM (person.status, person.plan, person.country, person.signup_source, person.date_joined,
                              coalesce(person.last_active_at, person.date_joined))
    """,
    "each person is found by their own words": """
        SELECT person.id, person.id, 'the words of email, name or ids differ, or when they joined, or there are none'
        FROM accounts_user AS person
        LEFT JOIN accounts_customersearch AS words ON words.user_id = person.id
        WHERE (words.joined, words.is_staff) IS DISTINCT FROM (person.date_joined, person.is_staff)
           OR words.document IS DISTINCT FROM accounts_search_document(
            person.email, person.full_name, person.external_id, person.stripe_customer_id)
    """,
}
