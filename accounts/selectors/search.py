"""Finding customers: by an exact id or address, else by the beginnings of words.

However common a word is, the work is bounded: few finds are fetched and sorted; of many, the list's own order is
walked until the page is full, which is soon when they are spread over it; if that is in vain, some of them are sorted.

In the usual order, by joining, all of that happens within the narrow table of words, which has the moment beside them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.contrib.postgres.search import SearchQueryField
from django.db import connection
from django.db.models import BooleanField, F, Func, Q, QuerySet, Value
from django.db.models.functions import Cast, Lower

from accounts.models import Customer, CustomerSearch
from accounts.selectors.people import is_id
from backoffice.lib import statements
from backoffice.lib.admin.keyset import Keyset

# Of a word, and of a whole search, in characters.
SHORTEST, LONGEST = 3, 200
# Up to here finds are fetched by their ids and counted.
FEW = 1_000
# How far an order is walked for a page of a common word: through the table of words, and through others; some 10 ms.
WALKED_NARROW, WALKED = 20_000, 5_000
# How many finds are sorted when that was in vain.
SORTED = 20_000

READ_WORDS = "SELECT lower(chunk), accounts_search_words(chunk) FROM unnest(%s::text[]) AS said(chunk)"
WALK = """
SELECT id FROM ({head}) AS head(id, document, {columns})
WHERE ts_match_vq(document, %s::tsquery) ORDER BY {order} LIMIT %s
"""

Rows = QuerySet[Customer] | QuerySet[CustomerSearch]


class Indexed(Func):
    """``document @@ query``: the index finds the rows."""

    template = "%(expressions)s"
    arg_joiner = " @@ "
    output_field = BooleanField()


class Checked(Func):
    """The same as a function, which no index serves: each row that comes by is looked at."""

    function = "ts_match_vq"
    output_field = BooleanField()


@dataclass(frozen=True)
class Search:
    """What was asked for. With ``exact`` ids, nothing else counts.

    ``long`` words are looked up in the index; ``short`` ones, which it would find too often, are checked in what it
    finds. Both are written as PostgreSQL reads them, and match beginnings.
    """

    text: str
    exact: tuple[int, ...] = ()
    long: tuple[str, ...] = ()
    short: tuple[str, ...] = ()

    @property
    def fault(self) -> str:
        """What is wrong with the search itself, in words for who typed it; empty when it can be done."""
        if len(self.text) > LONGEST:
            return f"Search for at most {LONGEST} characters"
        if self.text and not self.exact and not self.long:
            return f"Type at least {SHORTEST} letters of a word"
        return ""

    @cached_property
    def few(self) -> tuple[int, ...] | None:
        """The ids of all finds; None when there are more than 1,000."""
        if self.exact or self.fault:
            return self.exact
        found = tuple(self._finds()[: FEW + 1].values_list("pk", flat=True))
        return found if len(found) <= FEW else None

    def among(self, customers: QuerySet[Customer]) -> QuerySet[Customer]:
        """All finds among ``customers``, to export or to act on."""
        if not self.text:
            return customers
        if self.few is not None:
            return customers.filter(pk__in=self.few)
        return customers.filter(*self._matches("search_row__document"))

    def first(self, rows: Rows, *, limit: int) -> tuple[list[int], bool]:
        """The ids of the first finds among ``rows``, and whether these are surely those.

        ``rows`` are customers in any order by plain columns, or ``words_by_joining``. They are not sure when there are
        more than 20,000 finds, and next to none of them near the head of that order.
        """
        if self.few is not None:
            return list(rows.filter(pk__in=self.few).values_list("pk", flat=True)[:limit]), True
        walked, far = self._walk(rows, limit)
        if len(walked) == limit:
            return walked, True
        are_few_enough = not self._finds()[SORTED : SORTED + 1].exists()
        if not are_few_enough and not rows[far : far + 1].exists():
            return walked, True
        some = self._finds()[:SORTED].values("pk")
        return list(rows.filter(pk__in=some).values_list("pk", flat=True)[:limit]), are_few_enough

    def _walk(self, rows: Rows, limit: int) -> tuple[list[int], int]:
        """Ids of the finds among the first of ``rows``, at most ``limit``; and how many were looked at, at most."""
        is_narrow = rows.model is CustomerSearch
        far, document = (WALKED_NARROW, "document") if is_narrow else (WALKED, "search_row__document")
        fields = [str(name) for name in rows.query.order_by]
        columns = [f"by{number}" for number in range(len(fields))]
        order = [
            f"{column} DESC" if field.startswith("-") else column for column, field in zip(columns, fields, strict=True)
        ]
        ordered = rows.values_list("pk", document, *(field.removeprefix("-") for field in fields))
        head, parameters = statements.select(ordered[:far])
        walk = WALK.format(head=head, columns=", ".join(columns), order=", ".join(order))
        with connection.cursor() as cursor:
            cursor.execute(walk, [*parameters, self._query(), limit])
            return [pk for (pk,) in cursor], far

    def _finds(self) -> QuerySet[CustomerSearch]:
        return CustomerSearch.objects.filter(*self._matches("document"), is_staff=False)

    def _matches(self, document: str) -> list[Func]:
        matches: list[Func] = [Indexed(F(document), _tsquery(self.long))]
        return [*matches, Checked(F(document), _tsquery(self.short))] if self.short else matches

    def _query(self) -> str:
        return " & ".join([*self.long, *self.short])


def words_by_joining(
    *, descending: bool = True, cursor: Sequence[Any] | None = None, backward: bool = False
) -> QuerySet[CustomerSearch]:
    """The words of all customers, the last to join first (or against that), from a cursor on."""
    keyset = Keyset(model=CustomerSearch, column="joined", tiebreak="user", descending=descending)
    return keyset.rows(CustomerSearch.objects.filter(is_staff=False), cursor=cursor, backward=backward)


def search_for(text: str) -> Search:
    """Read what somebody typed. One query for exact ids, and if there are none, one that takes it apart."""
    chunks = text.replace("\x00", " ").split()
    text = " ".join(chunks)
    if not text or len(text) > LONGEST:
        return Search(text)
    if exact := tuple(_with_id(text).values_list("pk", flat=True)):
        return Search(text, exact)
    long, short = _words(chunks)
    return Search(text, (), tuple(map(_beginning, long)), tuple(map(_beginning, short)))


def _with_id(text: str) -> QuerySet[Customer]:
    # Each arm has its own index, and PostgreSQL combines them.
    found = Q(email_lower=Lower(Value(text))) | Q(external_id=text) | Q(stripe_customer_id=text)
    if is_id(text):
        found |= Q(pk=int(text))
    return Customer.objects.alias(email_lower=Lower("email")).filter(found)


def _words(chunks: list[str]) -> tuple[list[str], list[str]]:
    """The long and the short words of what was typed, as the database reads them too."""
    long: list[str] = []
    short: list[str] = []
    with connection.cursor() as cursor:
        cursor.execute(READ_WORDS, [chunks])
        for chunk, words in cursor:
            enough = [word for word in words if len(word) >= SHORTEST]
            if words and not enough and len(chunk) >= SHORTEST:
                # Such as a-1-b: an id, whose words by themselves are too short.
                long.append(chunk)
                continue
            long += enough
            short += [word for word in words if len(word) < SHORTEST]
    return list(dict.fromkeys(long)), list(dict.fromkeys(short))


def _beginning(word: str) -> str:
    quoted = word.replace("\\", "\\\\").replace("'", "''")
    return f"'{quoted}':*"


def _tsquery(words: tuple[str, ...]) -> Any:
    return Cast(Value(" & ".join(words)), SearchQueryField())
