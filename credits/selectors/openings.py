"""What speaks against the opening balances that ``services.openings`` has staged."""

# Each query answers line, column, value, problem and advice; ``%(key)s`` begins the keys, ``%(now)s`` is the time.
OPENING_FAULTS = (
    """
    SELECT opening.line, 'opening_balance', trim_scale(opening.amount)::text,
           format('The customer has an opening balance of %%s already.', trim_scale((used.result->>'amount')::numeric)),
           'Empty the cell; what is wrong in the ledger is corrected by an adjustment.'
    FROM incoming_openings AS opening
    JOIN incoming_customers AS row USING (line)
    JOIN credits_idempotencyrecord AS used ON used.key = %(key)s || row.user_id
    WHERE (used.result->>'amount')::numeric <> opening.amount
    """,
    """
    SELECT line, 'opening_expires_at', expires_at::text, 'This lies in the past.',
           'Credits that have expired are not imported: empty opening_balance, or correct the time.'
    FROM incoming_openings WHERE NOT is_booked AND expires_at <= %(now)s
    """,
    """
    SELECT opening.line, 'opening_balance', trim_scale(opening.amount)::text,
           'A demo customer has no balance: nothing is charged or counted.', 'Empty opening_balance or demo_mode.'
    FROM incoming_openings AS opening
    JOIN incoming_customers AS row USING (line)
    LEFT JOIN accounts_user AS person ON person.id = row.user_id
    WHERE coalesce(row.demo_mode, person.demo_mode, false)
    """,
)
