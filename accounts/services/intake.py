"""Taking in many customers at once: staged in a table of the transaction, checked and written set by set.

Call ``begin``, ``take`` for each chunk of rows, ``match``, look for faults (``selectors.intake``), and ``write`` when
there are none, all in one transaction. What is empty in a row is not told of: a new customer gets the default, a known
one keeps what there is.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from psycopg import sql

from accounts.models import User
from accounts.models.users import REFERRAL_ALPHABET, REFERRAL_LENGTH
from accounts.services.activities import SIGNUP
from backoffice.lib import clock
from backoffice.lib.registry import demo_guards, plan_guards
from backoffice.lib.statements import copy_in

# What a row is made of, in the order in which ``take`` wants it.
COLUMNS = (
    "line",
    "email",
    "external_id",
    "full_name",
    "plan",
    "country",
    "signup_source",
    "joined",
    "character_count",
    "demo_mode",
    "referral_code",
    "referred_by",
    "stripe_customer_id",
)
WRITTEN_AT_ONCE = 10_000

BEGIN = """
DROP TABLE IF EXISTS incoming_customers;
CREATE TEMPORARY TABLE incoming_customers (
    line bigint, email text, external_id text, full_name text, plan text, country text, signup_source text,
    joined timestamptz, character_count integer, demo_mode boolean, referral_code text, referred_by text,
    stripe_customer_id text, email_lower text GENERATED ALWAYS AS (lower(email)) STORED,
    user_id bigint, by_email boolean NOT NULL DEFAULT false, is_new boolean NOT NULL DEFAULT false,
    code_is_ours boolean NOT NULL DEFAULT false
) ON COMMIT DROP
"""
MATCH = """
UPDATE incoming_customers AS row SET user_id = person.id
FROM accounts_user AS person WHERE person.external_id = row.external_id;
UPDATE incoming_customers AS row SET user_id = person.id, by_email = true
FROM accounts_user AS person WHERE row.user_id IS NULL AND lower(person.email) = row.email_lower;
ANALYZE incoming_customers
"""
# In id order, as everybody does who locks several people.
LOCK = """
SELECT count(*) FROM (
    SELECT FROM accounts_user
    WHERE id IN (SELECT user_id FROM incoming_customers) ORDER BY id FOR NO KEY UPDATE) AS locked
"""
# The code of the first letters of a random number, as ``new_referral_code`` makes them one by one. The line is in it so
# that each row has its own.
CODE = f"""(
    SELECT string_agg(substr('{REFERRAL_ALPHABET}', 1 + get_byte(bytes, place) % {len(REFERRAL_ALPHABET)}, 1), '')
    FROM decode(md5(gen_random_uuid()::text || row.line), 'hex') AS bytes,
         generate_series(0, {REFERRAL_LENGTH - 1}) AS place)
"""  # noqa: S608 (constants of ours)
NUMBER_THE_NEW = f"""
UPDATE incoming_customers AS row
SET is_new = true, user_id = nextval(pg_get_serial_sequence('accounts_user', 'id')),
    code_is_ours = referral_code IS NULL, referral_code = coalesce(referral_code, {CODE})
WHERE user_id IS NULL;
ANALYZE incoming_customers
"""  # noqa: S608 (constants of ours)
# A code of the file stands; of ours, the first of a code does. Who has to change, nearly always nobody, is looked for
# once, as an array: as a condition on each row it would be looked for again with each, whatever the planner thinks of a
# table that is a moment old.
CHANGE_TAKEN_CODES = f"""
UPDATE incoming_customers AS row SET referral_code = {CODE}
WHERE row.code_is_ours AND row.line = ANY(ARRAY(
    SELECT taken.line FROM incoming_customers AS taken
    JOIN accounts_user AS person ON person.referral_code = taken.referral_code
    WHERE taken.code_is_ours
    UNION ALL
    SELECT line FROM (
        SELECT line, code_is_ours, row_number() OVER (PARTITION BY referral_code ORDER BY code_is_ours, line) AS place
        FROM incoming_customers) AS same_code
    WHERE place > 1 AND code_is_ours))
"""  # noqa: S608 (constants of ours)
# What identifies a customer elsewhere is set once: it is told when there was none.
UPDATE = """
UPDATE accounts_user AS person
SET email = row.email, external_id = coalesce(person.external_id, row.external_id),
    stripe_customer_id = coalesce(person.stripe_customer_id, row.stripe_customer_id),
    full_name = coalesce(row.full_name, person.full_name), plan = coalesce(row.plan, person.plan),
    country = coalesce(row.country, person.country), signup_source = coalesce(row.signup_source, person.signup_source),
    date_joined = coalesce(row.joined, person.date_joined),
    character_count = coalesce(row.character_count, person.character_count),
    demo_mode = coalesce(row.demo_mode, person.demo_mode), updated_at = %s
FROM incoming_customers AS row
WHERE person.id = row.user_id AND NOT row.is_new AND row.line BETWEEN %s AND %s
  AND (person.email <> row.email OR person.full_name <> row.full_name OR person.plan <> row.plan
       OR person.country <> row.country OR person.signup_source <> row.signup_source
       OR person.date_joined <> row.joined OR person.character_count <> row.character_count
       OR person.demo_mode <> row.demo_mode
       OR (person.external_id IS NULL AND row.external_id IS NOT NULL)
       OR (person.stripe_customer_id IS NULL AND row.stripe_customer_id IS NOT NULL))
"""
# What a new customer's columns are made of; the others have the defaults of the model.
INSERTED = {
    "id": "user_id",
    # No password matches it. The random part is for links that are made of it, such as one to reset it.
    "password": "'!' || replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', '')",
    "email": "email",
    "external_id": "external_id",
    "full_name": "coalesce(full_name, '')",
    "plan": "coalesce(plan, '')",
    "country": "coalesce(country, '')",
    "signup_source": "coalesce(signup_source, '')",
    "stripe_customer_id": "stripe_customer_id",
    "referral_code": "referral_code",
    "character_count": "coalesce(character_count, 0)",
    "demo_mode": "coalesce(demo_mode, false)",
    "date_joined": "coalesce(joined, {now})",
    # As recording the signup would have it.
    "last_active_at": "coalesce(joined, {now})",
    "created_at": "{now}",
    "updated_at": "{now}",
}
SIGNUPS = """
INSERT INTO accounts_activityevent (event_id, user_id, visitor_id, action, details, user_agent, at, created_at)
SELECT 'accounts:signup:' || user_id, user_id, '', %s,
       jsonb_strip_nulls(jsonb_build_object('referred_by', referred_by, 'signup_source', signup_source)), '',
       coalesce(joined, %s), %s
FROM incoming_customers WHERE is_new AND line BETWEEN %s AND %s
ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True)
class Numbers:
    """How many customers of an intake are new and how many are known."""

    new: int
    known: int


def begin() -> None:
    """Make room for the rows, until the transaction ends."""
    _run(BEGIN)


def take(rows: Sequence[tuple[Any, ...]]) -> None:
    """Stage rows of COLUMNS."""
    copy_in("incoming_customers", COLUMNS, rows)


def match(*, lock: bool = False) -> Numbers:
    """Find who is known already, by external id and else by email; ``lock`` them when they will be changed."""
    _run(MATCH)
    if lock:
        _run(LOCK)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FILTER (WHERE user_id IS NULL), count(user_id) FROM incoming_customers")
        new, known = cursor.fetchone() or (0, 0)
    return Numbers(new, known)


def leave_managed_plans() -> int:
    """Take the plan out of rows of customers whose plan something else decides; how many."""
    changed = _rows(
        "SELECT row.user_id FROM incoming_customers AS row JOIN accounts_user AS person ON person.id = row.user_id"
        " WHERE person.plan <> row.plan"
    )
    managed = list(_among([user_id for (user_id,) in changed], [guard.managed_among for guard in plan_guards]))
    if managed:
        _run("UPDATE incoming_customers SET plan = NULL WHERE user_id = ANY(%s)", [managed])
    return len(managed)


def counted_who_would_be_demo() -> Iterator[int]:
    """Lines of customers who have been counted and are told to become demo customers."""
    rows = _rows(
        "SELECT row.line, row.user_id FROM incoming_customers AS row"
        " JOIN accounts_user AS person ON person.id = row.user_id WHERE row.demo_mode AND NOT person.demo_mode"
    )
    counted = _among([user_id for _, user_id in rows], [guard.counted_among for guard in demo_guards])
    return (line for line, user_id in rows if user_id in counted)


def _among(user_ids: Sequence[int], asked: Sequence[Callable[[Sequence[int]], Collection[int]]]) -> set[int]:
    """Whom any of ``asked`` names among these customers, a part of them at a time."""
    parts = (user_ids[start : start + WRITTEN_AT_ONCE] for start in range(0, len(user_ids), WRITTEN_AT_ONCE))
    return {user_id for part in parts for names in asked for user_id in names(part)}


def write() -> Iterator[int]:
    """Make the new customers and change the known ones; yields the number of rows after each part of them.

    Raises IntegrityError when somebody else made one of them at the same moment.
    """
    _run(NUMBER_THE_NEW)
    while _run(CHANGE_TAKEN_CODES):
        pass
    # Of the parts that are written, and of the order in which openings are booked.
    _run("CREATE INDEX ON incoming_customers (line); CREATE INDEX ON incoming_customers (user_id)")
    now, insert = clock.now(), _insert()
    for first, last, number in _parts():
        _run(UPDATE, [now, first, last])
        _run(insert, {"now": now, "first": first, "last": last})
        _run(SIGNUPS, [SIGNUP, now, now, first, last])
        yield number


def _insert() -> sql.Composed:
    """The statement that makes new customers: every column of the model, also one that is added later."""
    columns, values = [], []
    for field in User._meta.concrete_fields:
        if field.generated:
            continue
        column = str(field.column)
        told = INSERTED.get(column)
        value = sql.Literal(field.get_default()) if told is None else sql.SQL(told.format(now="%(now)s"))
        columns.append(sql.Identifier(column))
        values.append(value)
    return sql.SQL(
        "INSERT INTO accounts_user ({}) SELECT {} FROM incoming_customers"
        " WHERE is_new AND line BETWEEN %(first)s AND %(last)s ORDER BY line"
    ).format(sql.SQL(", ").join(columns), sql.SQL(", ").join(values))


def _parts() -> list[tuple[int, int, int]]:
    """The first and the last line of each part that is written at once, and how many rows it has."""
    return _rows(
        "SELECT min(line), max(line), count(*) FROM"
        " (SELECT line, (row_number() OVER (ORDER BY line) - 1) / %s AS part FROM incoming_customers) AS numbered"
        " GROUP BY part ORDER BY part",
        [WRITTEN_AT_ONCE],
    )


def _rows(statement: str, parameters: Sequence[Any] = ()) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())


def _run(statement: Any, parameters: Any = None) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return int(cursor.rowcount)
