"""The rows of a large company, as SQL: customers with names and habits as they are spread in the world, and a ledger
that the proof is content with.

Everything follows from a customer's number, so that two runs make the same company. Of a hundred customers, 30 have no
entry, 30 have two, 25 have 8, 10 have 30, 4 have 90 and one has 80: ten on average. The first entry is a gift of ten
usages, the second a purchase or a bonus that covers all that is used, the others are usages.
"""

PLAN = """
CREATE UNLOGGED TABLE bench_plan AS
SELECT i AS user_id, n, unit, n >= 2 AND i * 7919 % 1009 < 350 AS pays,
       now() - interval '1095 days' * (1 - (i - h0) / {customers}) AS joined,
       sum(n) OVER (ORDER BY i) - n AS entries_before, count(*) FILTER (WHERE n > 0) OVER (ORDER BY i) AS place,
       10 * unit AS given, unit * (greatest(n - 12, 0) + 1 + i % 60) AS bought,
       unit * greatest(n - 2, 0) AS used, h0, h1, h2, h3
FROM (
    SELECT i, (ARRAY[0.5, 1, 1, 2, 4])[1 + i % 5] AS unit,
           CASE WHEN i = {busy} THEN {busy_entries} WHEN i = {quiet} THEN {quiet_entries}
                ELSE CASE WHEN i * 37 % 100 < 30 THEN 0 WHEN i * 37 % 100 < 60 THEN 2 WHEN i * 37 % 100 < 85 THEN 8
                          WHEN i * 37 % 100 < 95 THEN 30 WHEN i * 37 % 100 < 99 THEN 90 ELSE 80 END END AS n,
           -- Four numbers between 0 and 1 that look like chance.
           (hashint8(i) & 2147483647) / 2147483648.0 AS h0, (hashint8(i * 31 + 7) & 2147483647) / 2147483648.0 AS h1,
           (hashint8(i * 57 + 3) & 2147483647) / 2147483648.0 AS h2,
           (hashint8(i * 91 + 5) & 2147483647) / 2147483648.0 AS h3
    FROM generate_series(1::bigint, {customers}) AS i) AS customer;
ALTER TABLE bench_plan ADD PRIMARY KEY (user_id);
ANALYZE bench_plan
"""

# Few names are common and many are rare: two thirds of the families come from a list, the others are put together.
CUSTOMERS = """
INSERT INTO accounts_user (id, password, email, external_id, full_name, avatar, status, status_reason, plan,
    stripe_customer_id, referral_code, signup_source, country, character_count, demo_mode, is_staff, is_superuser,
    last_active_at, date_joined, created_at, updated_at)
SELECT user_id, '!', given.plain || '.' || family.plain || user_id || '@' || domain, 'u_' || user_id,
       given.name || ' ' || family.name, '', status, '', plan, CASE WHEN pays THEN 'cus_' || md5(user_id::text) END,
       'B' || user_id, source, country, user_id %% 7, false, false, false, active, joined, joined, now()
FROM bench_plan
CROSS JOIN LATERAL (SELECT 1 + floor(cardinality(%(given)s::text[]) * h0 * h0)::int AS place) AS first
CROSS JOIN LATERAL (
    SELECT (%(given)s::text[])[first.place] AS name, (%(given_plain)s::text[])[first.place] AS plain) AS given
CROSS JOIN LATERAL (SELECT 1 + floor(cardinality(%(family)s::text[]) * h1 * h1)::int AS place) AS last
CROSS JOIN LATERAL (
    SELECT (%(syllables)s::text[])[1 + floor(h1 * 36)::int] || (%(syllables)s::text[])[1 + floor(h2 * 36)::int]
           || (%(syllables)s::text[])[1 + floor(h3 * 36)::int] AS name) AS made
CROSS JOIN LATERAL (
    SELECT CASE WHEN user_id %% 3 = 0 THEN initcap(made.name) ELSE (%(family)s::text[])[last.place] END AS name,
           CASE WHEN user_id %% 3 = 0 THEN made.name ELSE (%(family_plain)s::text[])[last.place] END AS plain) AS family
CROSS JOIN LATERAL (
    SELECT CASE WHEN h2 < .55 THEN 'gmail.com' WHEN h2 < .7 THEN 'yahoo.com' WHEN h2 < .8 THEN 'outlook.com'
                WHEN h2 < .9 THEN 'icloud.com' ELSE 'company' || floor(h3 * 5000) || '.example' END AS domain,
           CASE WHEN h3 < .985 THEN 'active' WHEN h3 < .99 THEN 'suspended' ELSE 'banned' END AS status,
           CASE WHEN h1 < .8 THEN 'free' WHEN h1 < .9 THEN 'starter' WHEN h1 < .97 THEN 'pro' ELSE 'studio' END AS plan,
           (ARRAY['google', 'direct', 'tiktok', 'friend', 'newsletter'])[1 + floor(h0 * 5)::int] AS source,
           (%(countries)s::text[])[1 + floor(cardinality(%(countries)s::text[]) * h2 * h2)::int] AS country,
           joined + (now() - joined) * h3 AS active) AS habits
"""

ACCOUNTS = """
INSERT INTO credits_creditaccount (user_id, balance, lots_total, seq, last_posted_at, lifetime_purchased,
    lifetime_consumed, period_seq, period_started_at, created_at, updated_at)
SELECT user_id, balance, balance, n, latest, CASE WHEN pays THEN bought ELSE 0 END, used, n, latest, joined, now()
FROM bench_plan
CROSS JOIN LATERAL (SELECT given + CASE WHEN n >= 2 THEN bought ELSE 0 END - used AS balance,
                           joined + (now() - joined) * (n / (n + 1.0)) AS latest) AS figures
WHERE n > 0
"""

ENTRIES = """
INSERT INTO credits_credittransaction (id, account_id, seq, kind, action_type, amount, balance_before, balance_after,
    description, reference, metadata, event_at, created_at)
SELECT entries_before + number, user_id, number, kind, CASE kind WHEN 'usage' THEN action ELSE '' END, amount,
       after - amount, after, '', CASE kind WHEN 'usage' THEN 'job-' || entries_before + number ELSE '' END, '{{}}',
       moment, moment
FROM bench_plan
JOIN credits_creditaccount USING (user_id)
CROSS JOIN LATERAL generate_series(1, n) AS numbers(number)
CROSS JOIN LATERAL (
    SELECT CASE WHEN number = 1 THEN 'gift' WHEN number > 2 THEN 'usage' WHEN pays THEN 'purchase' ELSE 'bonus' END
               AS kind,
           CASE WHEN number = 1 THEN given WHEN number = 2 THEN bought ELSE -unit END AS amount,
           given + CASE WHEN number >= 2 THEN bought ELSE 0 END - unit * greatest(number - 2, 0) AS after,
           (ARRAY['image', 'image', 'video', 'text'])[1 + (user_id + number) % 4] AS action,
           CASE number WHEN n THEN last_posted_at ELSE joined + (last_posted_at - joined) * (number / n::float) END
               AS moment) AS entry
WHERE user_id > {after} AND user_id <= {upto}
"""

LOTS = """
INSERT INTO credits_creditlot (id, account_id, transaction_id, source_kind, amount, remaining, priority, paid_minor,
    currency, created_at)
SELECT 2 * place - 2 + which, user_id, entries_before + which, lot.kind, lot.amount, lot.amount - drawn, {priority},
       paid, CASE WHEN paid IS NULL THEN '' ELSE 'USD' END, entry.created_at
FROM bench_plan
CROSS JOIN LATERAL generate_series(1, least(n, 2)) AS which
CROSS JOIN LATERAL (
    SELECT CASE WHEN which = 1 THEN 'gift' WHEN pays THEN 'purchase' ELSE 'bonus' END AS kind,
           CASE which WHEN 1 THEN given ELSE bought END AS amount,
           CASE which WHEN 1 THEN unit * least(greatest(n - 2, 0), 10) ELSE unit * greatest(n - 12, 0) END AS drawn,
           CASE WHEN which = 2 AND pays THEN ceil(bought * 10)::bigint END AS paid) AS lot
JOIN credits_credittransaction AS entry ON entry.id = entries_before + which
"""

DRAWS = """
INSERT INTO credits_creditdraw (transaction_id, lot_id, amount, created_at)
SELECT id, 2 * place - 1 + CASE WHEN seq > 12 THEN 1 ELSE 0 END, unit, created_at
FROM credits_credittransaction JOIN bench_plan ON user_id = account_id
WHERE kind = 'usage' AND user_id > {after} AND user_id <= {upto}
"""

PAYMENTS = """
INSERT INTO billing_payment (user_id, stripe_payment_id, stripe_charge_id, amount_minor, currency, status,
    payment_method_type, payment_method_brand, payment_method_last4, credits_purchased, transaction_id, paid_at,
    created_at, updated_at, stripe_invoice_id, refunded_minor, disputed_minor, charge_refunded_minor,
    settlement_currency, failure)
SELECT bench_plan.user_id, 'pi_' || md5(user_id::text), 'ch_' || md5(user_id::text), paid_minor, 'USD', 'succeeded',
       'card', 'visa', '4242', amount, lot.transaction_id, lot.created_at, lot.created_at, now(),
       '', 0, 0, 0, '', ''
FROM bench_plan JOIN credits_creditlot AS lot ON lot.id = 2 * place
WHERE pays
"""

FIGURES = """
UPDATE accounts_customerfigures AS figures
SET balance = account.balance, total_generations = greatest(n - 2, 0), spend_minor = coalesce(paid.amount_minor, 0)
FROM bench_plan JOIN credits_creditaccount AS account USING (user_id)
LEFT JOIN billing_payment AS paid USING (user_id)
WHERE figures.user_id = bench_plan.user_id;
UPDATE accounts_customerbalance AS sorted SET balance = account.balance
FROM credits_creditaccount AS account WHERE account.user_id = sorted.user_id AND sorted.balance <> account.balance
"""

# What was given its number here goes on after the last one.
SEQUENCES = "SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"
NUMBERED = ("accounts_user", "credits_credittransaction", "credits_creditlot")
SYLLABLES = [start + vowel for start in "bdfgklmnprst" for vowel in "aio"]
