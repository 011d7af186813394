"""The functions of the write path: to lock accounts, to open them, and to do plain charges in one go.

They run with the rights of who calls them.
"""

from django.db import migrations

# Each statement of a function sees what was committed while the one before it waited for a lock; a single statement
# would read the lots as they were before the wait.
LOCK_ACCOUNTS = """
CREATE FUNCTION credits_lock_accounts(user_ids bigint[], moment timestamptz) RETURNS bigint[] LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM unnest(user_ids) AS wanted(id)
               WHERE NOT EXISTS (SELECT FROM credits_creditaccount WHERE user_id = wanted.id)) THEN
        -- The persons first: whoever has locked one and posts must not wait for an account that waits for the person.
        PERFORM id FROM accounts_user
        WHERE id = ANY (user_ids) AND NOT is_staff ORDER BY id FOR NO KEY UPDATE;
        INSERT INTO credits_creditaccount (user_id, created_at, updated_at)
        SELECT person.id, moment, moment FROM accounts_user AS person
        WHERE person.id = ANY (user_ids) AND NOT person.is_staff ORDER BY person.id
        ON CONFLICT DO NOTHING;
    END IF;
    -- The order of the house is person, account, figures, and ids ascending: all writers queue, none deadlocks.
    RETURN (SELECT array_agg(id) FROM (
        SELECT person.id
        FROM accounts_user AS person JOIN credits_creditaccount AS account ON account.user_id = person.id
        WHERE person.id = ANY (user_ids) AND NOT person.is_staff
        ORDER BY person.id FOR NO KEY UPDATE OF person, account) AS locked);
END
$$;
"""

OPEN_ACCOUNTS = """
CREATE FUNCTION credits_open_accounts(user_ids bigint[], keys text[], entries integer, moment timestamptz)
RETURNS json LANGUAGE plpgsql AS $$
DECLARE
    opened_ids bigint[];
BEGIN
    opened_ids := credits_lock_accounts(user_ids, moment);
    RETURN json_build_object(
        'accounts', (SELECT json_agg(row_to_json(account)) FROM (
            SELECT person.demo_mode, person.status, person.status_until, account.user_id, account.balance,
                   account.held, account.debt, account.seq, account.last_posted_at, account.lifetime_purchased,
                   account.lifetime_consumed, account.current_period_consumed, account.period_started_at,
                   account.period_seq, account.next_reset_at IS NOT NULL AS has_allowance
            FROM accounts_user AS person JOIN credits_creditaccount AS account ON account.user_id = person.id
            WHERE account.user_id = ANY (opened_ids) ORDER BY account.user_id) AS account),
        'lots', (SELECT json_agg(row_to_json(lot)) FROM (
            SELECT lot.id, lot.account_id, entry.seq AS opened_seq, lot.amount, lot.remaining, lot.priority,
                   lot.expires_at, lot.paid_minor, lot.currency, lot.parent_id
            FROM credits_creditlot AS lot JOIN credits_credittransaction AS entry ON entry.id = lot.transaction_id
            WHERE lot.account_id = ANY (opened_ids) AND lot.is_open) AS lot),
        'holds', (SELECT json_agg(row_to_json(hold)) FROM (
            SELECT id, account_id, amount, expires_at, reference FROM credits_credithold
            WHERE account_id = ANY (opened_ids) AND state = 'open' ORDER BY id) AS hold),
        'debts', (SELECT json_agg(row_to_json(debt)) FROM (
            SELECT transaction_id, account_id, amount, remaining FROM credits_creditdebt
            WHERE account_id = ANY (opened_ids) AND remaining > 0 ORDER BY id) AS debt),
        'keys', (SELECT json_agg(row_to_json(used)) FROM (
            SELECT key, fingerprint, result FROM credits_idempotencyrecord WHERE key = ANY (keys)) AS used),
        'entry_ids', (SELECT json_agg(nextval('credits_credittransaction_id_seq')) FROM generate_series(1, entries)));
END
$$;
"""

# The same decision as credits.allocation.spend on an account where time has nothing to do, in one round trip. Of
# anything else it writes nothing and answers no row, and the general path decides. Whoever has to wait for the
# account goes that way too, so that an entry's time is read after its lock.
CHARGE = """
CREATE FUNCTION credits_charge(
    payer bigint, credits numeric, request_key text, request_fingerprint text, what text, told text, refers_to text,
    details jsonb, happened_at timestamptz, moment timestamptz)
RETURNS TABLE (id bigint, seq bigint, balance_before numeric, balance_after numeric) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    account credits_creditaccount;
    entry_id bigint;
    booked_at timestamptz;
BEGIN
    SELECT ledger.* INTO account
    FROM accounts_user AS person JOIN credits_creditaccount AS ledger ON ledger.user_id = person.id
    WHERE person.id = payer AND NOT person.is_staff AND NOT person.demo_mode AND person.status = 'active'
      AND ledger.held = 0 AND ledger.debt = 0 AND ledger.balance >= credits
    FOR NO KEY UPDATE OF person, ledger SKIP LOCKED;
    booked_at := greatest(moment, account.last_posted_at);
    IF NOT FOUND
        OR EXISTS (SELECT FROM credits_idempotencyrecord WHERE key = request_key)
        OR EXISTS (SELECT FROM credits_creditlot WHERE account_id = payer AND is_open AND expires_at <= moment)
        OR (account.next_reset_at IS NULL AND date_trunc('month', booked_at, 'UTC')
            IS DISTINCT FROM date_trunc('month', account.period_started_at, 'UTC')) THEN
        RETURN;
    END IF;

    entry_id := nextval('credits_credittransaction_id_seq');
    INSERT INTO credits_credittransaction (
        id, account_id, seq, kind, action_type, amount, balance_before, balance_after, description, reference,
        metadata, event_at, created_at)
    VALUES (entry_id, payer, account.seq + 1, 'usage', what, -credits, account.balance, account.balance - credits,
            told, refers_to, details, coalesce(happened_at, booked_at), booked_at);
    WITH lots AS (
        SELECT id, remaining, sum(remaining) OVER (
            ORDER BY priority, expires_at NULLS LAST, coalesce(paid_minor, 0) > 0, transaction_id, id
            ROWS UNBOUNDED PRECEDING) - remaining AS before_it
        FROM credits_creditlot WHERE account_id = payer AND is_open
    ), part AS (
        SELECT id, before_it, least(remaining, credits - before_it) AS amount FROM lots WHERE before_it < credits
    ), drawn AS (
        INSERT INTO credits_creditdraw (transaction_id, lot_id, amount, created_at)
        SELECT entry_id, id, amount, booked_at FROM part ORDER BY before_it
    )
    UPDATE credits_creditlot AS lot SET remaining = lot.remaining - part.amount FROM part WHERE lot.id = part.id;
    UPDATE credits_creditaccount SET
        balance = account.balance - credits, lots_total = account.lots_total - credits, seq = account.seq + 1,
        last_posted_at = booked_at, lifetime_consumed = account.lifetime_consumed + credits,
        current_period_consumed = account.current_period_consumed + credits, updated_at = moment
    WHERE user_id = payer;
    UPDATE accounts_customerfigures SET balance = account.balance - credits WHERE user_id = payer;
    UPDATE accounts_customerbalance SET balance = account.balance - credits WHERE user_id = payer;
    INSERT INTO credits_idempotencyrecord (key, fingerprint, result, created_at)
    VALUES (request_key, request_fingerprint, jsonb_build_object(
        'id', entry_id, 'seq', account.seq + 1, 'amount', (-credits)::text, 'balance_before', account.balance::text,
        'balance_after', (account.balance - credits)::text), moment);
    RETURN QUERY SELECT entry_id, account.seq + 1, account.balance, account.balance - credits;
END
$$;
"""


# The same for any number of charges, for accounts on which nothing else is to be decided: nothing held or
# owed or lapsed, enough in the lots for all that is asked, no key used before. Of any other account it writes nothing
# and answers no row. The caller holds the locks. Each charge covers a stretch of its account's credits and each lot another:
# where the two overlap, there is a draw.
CHARGE_BATCH = """
CREATE FUNCTION credits_charge_batch(
    payers bigint[], credits numeric[], request_keys text[], fingerprints text[], what text[], told text[],
    refers_to text[], details text[], happened_at timestamptz[], moment timestamptz)
RETURNS TABLE (item bigint, id bigint, seq bigint, balance_before numeric, balance_after numeric)
LANGUAGE plpgsql
-- A plan made without knowing how many charges there are would compare each with each.
SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    plain bigint[];
BEGIN
    SELECT array_agg(user_id) INTO plain
    FROM credits_creditaccount AS account
    JOIN accounts_user AS person ON person.id = account.user_id
    JOIN (SELECT payer, sum(amount) AS total, array_agg(key) AS keys
          FROM unnest(payers, credits, request_keys) AS wanted(payer, amount, key) GROUP BY payer) AS wanted
      ON wanted.payer = account.user_id
    WHERE NOT person.is_staff AND NOT person.demo_mode AND person.status = 'active'
      AND account.held = 0 AND account.debt = 0 AND account.balance >= wanted.total
      AND NOT EXISTS (SELECT FROM credits_idempotencyrecord WHERE key = ANY (wanted.keys))
      AND NOT EXISTS (SELECT FROM credits_creditlot AS lot
                      WHERE lot.account_id = account.user_id AND lot.is_open AND lot.expires_at <= moment)
      -- Without an allowance the first entry of a month begins a period.
      AND (account.next_reset_at IS NOT NULL
           OR date_trunc('month', greatest(moment, account.last_posted_at), 'UTC')
              = date_trunc('month', account.period_started_at, 'UTC'));
    IF plain IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY
    WITH charge AS (
        SELECT wanted.*, nextval('credits_credittransaction_id_seq') AS id,
               account.seq + row_number() OVER running AS seq,
               sum(wanted.amount) OVER running AS upto,
               account.balance - sum(wanted.amount) OVER running AS balance_after,
               greatest(moment, account.last_posted_at) AS booked_at
        FROM (SELECT * FROM unnest(payers, credits, request_keys, fingerprints, what, told, refers_to, details,
                                   happened_at)
                  WITH ORDINALITY AS wanted(payer, amount, key, fingerprint, action_type, description, reference,
                                            metadata, event_at, item)
              WHERE payer = ANY (plain) ORDER BY item) AS wanted
        JOIN credits_creditaccount AS account ON account.user_id = wanted.payer
        WINDOW running AS (PARTITION BY payer ORDER BY item)
    ), lot AS (
        SELECT id, account_id, remaining, sum(remaining) OVER (
            PARTITION BY account_id
            ORDER BY priority, expires_at NULLS LAST, coalesce(paid_minor, 0) > 0, transaction_id, id) AS upto
        FROM credits_creditlot WHERE account_id = ANY (plain) AND is_open
    ), draw AS (
        SELECT charge.id AS charge_id, lot.id AS lot_id, charge.booked_at, lot.upto,
               least(charge.upto, lot.upto)
               - greatest(charge.upto - charge.amount, lot.upto - lot.remaining) AS amount
        FROM charge JOIN lot ON lot.account_id = charge.payer
                            AND lot.upto > charge.upto - charge.amount AND lot.upto - lot.remaining < charge.upto
    ), entries AS (
        INSERT INTO credits_credittransaction (
            id, account_id, seq, kind, action_type, amount, balance_before, balance_after, description, reference,
            metadata, event_at, created_at)
        SELECT id, payer, seq, 'usage', action_type, -amount, balance_after + amount, balance_after, description,
               reference, metadata::jsonb, coalesce(event_at, booked_at), booked_at
        FROM charge ORDER BY id
    ), draws AS (
        INSERT INTO credits_creditdraw (transaction_id, lot_id, amount, created_at)
        SELECT charge_id, lot_id, amount, booked_at FROM draw ORDER BY charge_id, upto
    ), lots AS (
        UPDATE credits_creditlot AS lot SET remaining = lot.remaining - drawn.total
        FROM (SELECT lot_id, sum(amount) AS total FROM draw GROUP BY lot_id) AS drawn WHERE lot.id = drawn.lot_id
    ), account AS (
        SELECT payer AS user_id, sum(amount) AS total, max(seq) AS seq, min(balance_after) AS balance,
               max(booked_at) AS booked_at
        FROM charge GROUP BY payer
    ), accounts AS (
        UPDATE credits_creditaccount AS old
        SET balance = account.balance, lots_total = account.balance, seq = account.seq,
            last_posted_at = account.booked_at, lifetime_consumed = old.lifetime_consumed + account.total,
            current_period_consumed = old.current_period_consumed + account.total, updated_at = moment
        FROM account WHERE old.user_id = account.user_id
    ), figures AS (
        UPDATE accounts_customerfigures AS figures SET balance = account.balance
        FROM account WHERE figures.user_id = account.user_id
    ), balances AS (
        UPDATE accounts_customerbalance AS sorted SET balance = account.balance
        FROM account WHERE sorted.user_id = account.user_id
    ), keys AS (
        INSERT INTO credits_idempotencyrecord (key, fingerprint, result, created_at)
        SELECT key, fingerprint, jsonb_build_object(
            'id', id, 'seq', seq, 'amount', (-amount)::text, 'balance_before', (balance_after + amount)::text,
            'balance_after', balance_after::text), moment
        FROM charge ORDER BY key COLLATE "C"
    )
    SELECT item, id, seq, balance_after + amount, balance_after FROM charge ORDER BY item;
END
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("credits", "0006_guard_holds_and_debts"), ("accounts", "0004_balances_in_rows_of_their_own")]
    operations = [
        migrations.RunSQL(LOCK_ACCOUNTS, "DROP FUNCTION credits_lock_accounts"),
        migrations.RunSQL(OPEN_ACCOUNTS, "DROP FUNCTION credits_open_accounts"),
        migrations.RunSQL(CHARGE, "DROP FUNCTION credits_charge"),
        migrations.RunSQL(CHARGE_BATCH, "DROP FUNCTION credits_charge_batch"),
    ]
