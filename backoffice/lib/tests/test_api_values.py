"""What the API reads and writes: amounts, times, pages, batches, and the documentation of types."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from pydantic import BaseModel, ValidationError

from accounts.models import Customer
from backoffice.lib.api.batches import items
from backoffice.lib.api.errors import ApiError, invalid
from backoffice.lib.api.pagination import PageQuery, page_of
from backoffice.lib.api.reference import reference_of
from backoffice.lib.api.values import AmountOut, Body, PastTime, UtcTime, amount_type, plain_decimal
from credits.amounts import parse_amount
from tests.factories import CustomerFactory

Amount = amount_type(parse_amount)


class Charge(Body):
    amount: Amount


def refusal(model, **values):
    with pytest.raises(ValidationError) as error:
        model(**values)
    return invalid(error.value.errors())


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("12.5", "12.5"),
        ("0.0001", "0.0001"),
        (7, "7"),
        ("007", "7"),
        ("1000000000", "1000000000"),
        (10**9, "1000000000"),
        ("1.50000", "1.5"),
    ],
)
def test_an_amount_is_read_exactly(value, expected):
    amount = Charge(amount=value).amount
    assert isinstance(amount, Decimal)
    assert plain_decimal(amount) == expected


@pytest.mark.parametrize(
    "value",
    [
        0, -1, 2**63, "0", "-1", "NaN", "Infinity", "1e5", "1_000", "１２", "1.23456", "", " ", "1,000", "0x10",
        1.5, 1.0, True, None, [], {}, "9" * 100,
    ],
)  # fmt: skip
def test_what_is_no_amount_is_refused_under_its_own_code(value):
    refused = refusal(Charge, amount=value)
    assert (refused.status, refused.code) == (422, "invalid_amount")
    assert refused.details == [{"path": "amount", "message": str(refused)}]


def test_a_number_with_a_point_is_told_how_to_write_it():
    assert "as text in plain digits" in str(refusal(Charge, amount=0.1))


def test_a_message_with_braces_is_shown_as_it_is():
    def refuse(text):
        raise ValueError("not {this}")

    class Other(Body):
        amount: amount_type(refuse)

    assert str(refusal(Other, amount="1")) == "not {this}"


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0", "0"),
        ("0.0000", "0"),
        ("-0.0000", "0"),
        ("100.0000", "100"),
        ("1E+2", "100"),
        ("-0.2500", "-0.25"),
        ("10", "10"),
    ],
)
def test_an_amount_is_written_in_plain_digits(amount, text):
    class Out(BaseModel):
        amount: AmountOut

    assert Out(amount=Decimal(amount)).model_dump() == {"amount": text}


class Moment(Body):
    at: UtcTime


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-01T12:00:00Z", datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("2026-03-01t12:00:00z", datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("2026-03-01T12:00+02:00", datetime(2026, 3, 1, 10, tzinfo=UTC)),
        ("2026-03-01T12:00:00.123456789Z", datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)),
        ("2026-03-01 12:00:00-0130", datetime(2026, 3, 1, 13, 30, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_with_its_offset_and_kept_in_utc(text, expected):
    at = Moment(at=text).at
    assert (at, at.utcoffset()) == (expected, timedelta(0))


@pytest.mark.parametrize(
    "value",
    [
        "2026-03-01",
        "2026-03-01T12:00:00",
        "2026-02-30T12:00:00Z",
        "12:00",
        "",
        "now",
        1772366400,
        None,
        "２026-03-01T12:00:00Z",
    ],
)
def test_what_is_no_moment_is_refused(value):
    assert refusal(Moment, at=value).code == "invalid_time"


def test_a_time_is_written_with_a_z():
    here = datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    assert Moment(at=here).model_dump() == {"at": "2026-03-01T10:00:00Z"}


def test_what_has_been_lies_neither_before_1970_nor_ahead():
    class Past(Body):
        at: PastTime

    for text in ("1969-12-31T23:59:59Z", "2999-01-01T00:00:00Z"):
        assert refusal(Past, at=text).code == "invalid_time"


def test_several_refusals_of_several_sorts_go_by_the_common_code():
    class Two(Body):
        amount: Amount
        name: str

    refused = refusal(Two, amount="x", name=1)
    assert refused.code == "validation_error"
    assert [detail["path"] for detail in refused.details] == ["amount", "name"]


def test_an_item_that_does_not_fit_is_told_of_in_its_place():
    class Batch(Body):
        charges: items(Charge)

    first, second, third = Batch(charges=[{"amount": "1"}, {"amount": "x"}, 3]).charges
    assert first == Charge(amount="1")
    assert isinstance(second, ApiError) and second.code == "invalid_amount"
    assert isinstance(third, ApiError) and third.code == "validation_error"
    # Programs still read what an item is.
    assert Batch.model_json_schema()["properties"]["charges"]["items"] == {"$ref": "#/$defs/Charge"}


@pytest.mark.django_db
def test_pages_follow_each_other_whatever_comes_in_between():

    people = CustomerFactory.create_batch(5)[::-1]
    first = page_of(Customer.objects.all(), PageQuery(limit=2), scope="people")
    newcomer = CustomerFactory()
    second = page_of(Customer.objects.all(), PageQuery(limit=2, cursor=first.next_cursor), scope="people")
    third = page_of(Customer.objects.all(), PageQuery(limit=2, cursor=second.next_cursor), scope="people")
    assert [*first.rows, *second.rows, *third.rows] == people
    assert third.next_cursor is None and newcomer not in third.rows
    exact = page_of(Customer.objects.all(), PageQuery(limit=6), scope="people")
    assert (len(exact.rows), exact.next_cursor) == (6, None)


@pytest.mark.django_db
@pytest.mark.parametrize("cursor", ["", "1", "x" * 400, "\u2603", "eyJ0Ijo1fQ:abc", "of another list", "cut off"])
def test_a_cursor_that_the_list_did_not_give_is_refused(cursor):

    CustomerFactory.create_batch(2)
    given = page_of(Customer.objects.all(), PageQuery(limit=1), scope="others").next_cursor
    cursor = {"of another list": given, "cut off": given[:-1]}.get(cursor, cursor)
    with pytest.raises(ApiError) as error:
        page_of(Customer.objects.all(), PageQuery(cursor=cursor), scope="people")
    assert (error.value.status, error.value.code) == (422, "invalid_cursor")


@pytest.mark.parametrize("limit", [0, 201, -1])
def test_a_page_has_1_to_200_rows(limit):
    with pytest.raises(ValidationError):
        PageQuery(limit=limit)


def test_a_type_that_holds_itself_is_shown_once():
    node = {"type": "object", "properties": {"value": {"type": "string"}, "inner": {"$ref": "#/components/schemas/T"}}}
    body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/T"}}}}
    operation = {"operationId": "o", "summary": "s", "parameters": [], "requestBody": body, "responses": {}}
    reference = reference_of(
        {
            "info": {"title": "t", "description": "Say `this`.\n\nAnd\nthat."},
            "paths": {"/x": {"post": operation}},
            "components": {"schemas": {"T": node}},
        }
    )
    assert reference.description == [[("Say ", False), ("this", True), (".", False)], [("And that.", False)]]
    [group] = reference.groups
    assert [(field.name, field.level) for field in group.operations[0].body] == [("value", 0), ("inner", 0)]
