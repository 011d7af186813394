"""What speaks against taking in the customers that ``services.intake`` has staged."""

# Each query answers line, column, value, problem and advice of the rows that cannot be taken in.
TWICE = """
SELECT line, '{column}', {column}, format('Line %s has the same {label}.', first),
       'Keep one of the two rows, or give them different values.'
FROM (SELECT line, {column}, min(line) OVER (PARTITION BY {key}) AS first
      FROM incoming_customers WHERE {key} IS NOT NULL) AS row
WHERE line > first
"""
TAKEN = """
SELECT row.line, '{column}', row.{column}, 'Somebody else has this {label}.',
       'Look the customer up by it, and correct the row or the customer.'
FROM incoming_customers AS row JOIN accounts_user AS person ON {match}
WHERE person.id IS DISTINCT FROM row.user_id
"""
FIXED = """
SELECT row.line, '{column}', row.{column},
       format('The customer whom this row means has another {label} already: %s.', person.{column}),
       'An import never changes it: correct the row, or empty the cell.'
FROM incoming_customers AS row JOIN accounts_user AS person ON person.id = row.user_id
WHERE person.{column} <> row.{column}
"""
STAFF = """
SELECT row.line, CASE WHEN row.by_email THEN 'email' ELSE 'external_id' END,
       CASE WHEN row.by_email THEN row.email ELSE row.external_id END,
       'This belongs to a member of staff, who is no customer.', 'Take the row out.'
FROM incoming_customers AS row JOIN accounts_user AS person ON person.id = row.user_id
WHERE person.is_staff
"""
# What the product calls somebody who was merged leads to another one; of who is to be forgotten a hash is kept.
RETIRED = """
SELECT row.line, CASE WHEN row.by_email THEN 'email' ELSE 'external_id' END,
       CASE WHEN row.by_email THEN row.email ELSE row.external_id END,
       CASE retired.fate WHEN 'merged' THEN format('This customer was merged into customer %s.', retired.into_id)
            ELSE 'This customer was anonymised, and is to stay so.' END,
       CASE retired.fate WHEN 'merged' THEN 'Give the row the id of the customer who stayed, or take it out.'
            ELSE 'Take the row out.' END
FROM incoming_customers AS row JOIN accounts_retiredcustomer AS retired
  ON retired.user_id = row.user_id
  OR retired.former_id IN (row.external_id, 'sha256:' || encode(sha256(convert_to(row.external_id, 'UTF8')), 'hex'))
"""
KNOWN = """
SELECT line, CASE WHEN by_email THEN 'email' ELSE 'external_id' END, CASE WHEN by_email THEN email ELSE external_id END,
       'There is a customer with this already.',
       'Take the row out, or choose that known customers are updated.'
FROM incoming_customers WHERE user_id IS NOT NULL
"""
IDENTITIES = {
    "email": "email address",
    "external_id": "external id",
    "stripe_customer_id": "Stripe customer",
    "referral_code": "referral code",
}


def intake_faults(*, updates: bool) -> list[str]:
    """The queries that find what is wrong; ``updates`` says whether customers that are known may be changed."""
    found = [STAFF, RETIRED] if updates else [STAFF, RETIRED, KNOWN]
    for column, label in IDENTITIES.items():
        key = "email_lower" if column == "email" else column
        match = "lower(person.email) = row.email_lower" if column == "email" else f"person.{column} = row.{column}"
        found.append(TWICE.format(column=column, label=label, key=key))
        if updates or column not in ("email", "external_id"):
            found.append(TAKEN.format(column=column, label=label, match=match))
        if updates and column != "email":
            found.append(FIXED.format(column=column, label=label))
    return found
