"""What requests about credits share: amounts, texts, keys, and the answer that names an entry."""

import hashlib
import re
from decimal import Decimal
from typing import Annotated, Any, Self

from annotated_types import Ge, Le
from django.http import HttpRequest
from ninja import Status
from pydantic import BaseModel, Field, PlainSerializer, PlainValidator, StringConstraints
from pydantic import WithJsonSchema as JsonSchema

from accounts.authentication import client_of
from backoffice.lib.api.values import AmountOut, Body, Id, amount_type, plain_decimal, read_decimal
from credits.amounts import parse_amount, parse_signed_amount
from credits.errors import InvalidAmount
from credits.postings import PostResult

LARGEST_ID = 2**63 - 1
LARGEST_COUNT = 2**53 - 1
# What NUMERIC(18,8) holds of a provider's price.
_COST = re.compile(r"[0-9]{1,10}(\.[0-9]{1,8})?")


def _parse_cost(text: str) -> Decimal:
    if not _COST.fullmatch(text):
        raise InvalidAmount("Write the cost in plain digits, at most 8 decimal places, such as 0.0035.")
    return Decimal(text)


def _read_cost(value: object) -> Decimal:
    return read_decimal(value, parse=_parse_cost)


def _read_signed(value: object) -> Decimal:
    return read_decimal(value, parse=parse_signed_amount)


Amount = amount_type(parse_amount)
SignedAmount = Annotated[
    Decimal,
    PlainValidator(_read_signed),
    PlainSerializer(plain_decimal, return_type=str),
    JsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": r"^-?[0-9]{1,9}(\.[0-9]{1,4})?$", "examples": ["-12.5"]},
                {"type": "integer", "minimum": -1_000_000_000, "maximum": 1_000_000_000},
            ],
            "description": "Plain digits, with a minus to take; not 0, at most 4 decimal places.",
        }
    ),
]
Cost = Annotated[
    Decimal,
    PlainValidator(_read_cost),
    PlainSerializer(plain_decimal, return_type=str),
    JsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": r"^[0-9]{1,10}(\.[0-9]{1,8})?$", "examples": ["0.0035"]},
                {"type": "integer", "minimum": 0, "maximum": 9_999_999_999},
            ],
            "description": "US dollars in plain digits, at most 8 decimal places.",
        }
    ),
]
Count = Annotated[int, Ge(0), Le(LARGEST_COUNT)]
RowId = Annotated[int, Ge(1), Le(LARGEST_ID)]
ActionType = Annotated[str, StringConstraints(max_length=64)]
Description = Annotated[str, StringConstraints(max_length=500)]
Reference = Annotated[str, StringConstraints(max_length=200)]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=500)]


class Metadata(Body):
    """What a usage was for and what it cost; null is the same as absent."""

    generation: Id | None = None
    model: Id | None = None
    input_tokens: Count | None = None
    output_tokens: Count | None = None
    api_cost_usd: Cost | None = None

    def kept(self) -> dict[str, Any]:
        """What the ledger keeps: the same for the same content however it was written."""
        return self.model_dump(mode="json", exclude_none=True)


class Keyed(Body):
    idempotency_key: Annotated[Id, Field(description="Yours: the same key again answers the first result.")]


class RefundIn(Keyed):
    transaction: Annotated[RowId, Field(description="The id of the usage.")]
    amount: Annotated[Amount | None, Field(description="All that is left of the usage unless told.")] = None  # type: ignore[valid-type]
    reason: Reason


class EntryOut(BaseModel):
    """The entry that was made. `amount` is as it was asked for; a demo customer has no entry and an amount of 0."""

    id: int | None
    seq: int | None
    amount: AmountOut
    balance_before: AmountOut
    balance_after: AmountOut
    replayed: bool

    @classmethod
    def of(cls, result: PostResult, amount: Decimal) -> Self:
        return cls(
            id=result.transaction_id,
            seq=result.seq,
            amount=amount,
            balance_before=result.balance_before,
            balance_after=result.balance_after,
            replayed=result.replayed,
        )


def entry(result: PostResult, *, signed: bool = False) -> Status:
    """201 with the entry that was made, 200 where nothing was: a replay, or a demo customer."""
    made = result.transaction_id is not None and not result.replayed
    return Status(201 if made else 200, EntryOut.of(result, result.amount if signed else abs(result.amount)))


# What of a key's 255 characters a client's name may take; the rest is the product's, see IdempotencyKey.
LONGEST_CLIENT = 100


def namespaced(request: HttpRequest, key: str) -> str:
    """The product's ``key`` in the namespace of its client: that of all keys of one name, so it outlives rotation."""
    # Without the separator of ours in it, no name can reach into the namespace of another.
    client = client_of(request).name.replace("%", "%25").replace(":", "%3A")
    if len(client) > LONGEST_CLIENT:
        client = hashlib.sha256(client.encode()).hexdigest()
    return f"api:{client}:{key}"
