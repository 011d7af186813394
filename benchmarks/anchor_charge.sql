-- The least that a charge has to do, for pgbench: frozen, so that figures of different days compare.
-- It leaves out what the product does beside it: the key of the request, the customer's status, the figures of lists.
\set person random(:first, :last)
BEGIN;
SELECT balance FROM credits_creditaccount WHERE user_id = :person FOR NO KEY UPDATE;
-- All open lots are read; \aset keeps the last row, so the one to draw first comes last.
SELECT id AS lot, remaining FROM credits_creditlot
WHERE account_id = :person AND is_open
ORDER BY priority DESC, expires_at DESC NULLS FIRST, paid_minor IS NOT NULL DESC, id DESC \aset
INSERT INTO credits_credittransaction (account_id, seq, kind, action_type, amount, balance_before, balance_after,
                                       description, reference, metadata, event_at, created_at)
SELECT user_id, seq + 1, 'usage', 'image', -1, balance, balance - 1, '', '', '{}',
       statement_timestamp(), statement_timestamp()
FROM credits_creditaccount WHERE user_id = :person
RETURNING id AS entry, created_at AS moment \gset
INSERT INTO credits_creditdraw (transaction_id, lot_id, amount, created_at) VALUES (:entry, :lot, 1, :moment);
UPDATE credits_creditlot SET remaining = remaining - 1 WHERE id = :lot;
UPDATE credits_creditaccount
SET balance = balance - 1, lots_total = lots_total - 1, seq = seq + 1, lifetime_consumed = lifetime_consumed + 1,
    current_period_consumed = current_period_consumed + 1, last_posted_at = :moment, updated_at = :moment
WHERE user_id = :person;
COMMIT;
