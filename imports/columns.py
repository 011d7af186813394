"""The columns of a file of customers: what each is for, an example, and how its cells are read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from imports import values
from imports.report import SHOWN_VALUE, Fault


@dataclass(frozen=True)
class Column:
    """``read`` makes of a cell that is not empty what the database keeps; raises BadValue."""

    name: str
    about: str
    example: str
    read: Callable[[str], Any]


ALL = (
    Column("email", "The address; the only column that must be there.", "ada@example.com", values.email),
    Column("external_id", "Your product's own id of the customer.", "u_1001", values.text_of(128)),
    Column("full_name", "As the customer writes it.", "Ada Lovelace", values.text_of(200)),
    Column("plan", "The key of the plan.", "pro", values.text_of(64)),
    Column("country", "Two letters by ISO 3166.", "GB", values.country),
    Column("signup_source", "Where the customer came from.", "newsletter", values.text_of(64)),
    Column(
        "created_at", "When the customer joined, by ISO 8601; UTC unless told.", "2024-03-01T09:30:00Z", values.past
    ),
    Column("character_count", "How many characters the customer has.", "3", values.count),
    Column("demo_mode", "true for somebody who is never charged nor counted.", "false", values.truth),
    Column("referral_code", "The customer's own code, when one is out there already.", "ADA2024", values.code),
    Column("referred_by", "The code by which the customer came.", "GRACE7", values.code),
    Column("stripe_customer_id", "The customer in Stripe.", "cus_Q1w2E3r4T5y6", values.stripe_customer),
    Column("opening_balance", "Credits that the customer brings along.", "250.5", values.balance),
    Column("opening_value_minor", "What was paid for them, in minor units: 1999 is $19.99.", "1999", values.paid_minor),
    Column("opening_currency", "The currency of that, by ISO 4217.", "USD", values.currency),
    Column("opening_expires_at", "When they expire; empty: never.", "2030-12-31", values.expiry),
)
BY_NAME: Mapping[str, Column] = {column.name: column for column in ALL}


@dataclass(frozen=True)
class Row:
    """What a line of the file says, by column, as far as it says anything."""

    line: int
    told: Mapping[str, Any]


def read_row(line: int, cells: Mapping[str, str]) -> Row | list[Fault]:
    """The line as the database keeps it, or everything that is wrong with it."""
    told: dict[str, Any] = {}
    faults: list[Fault] = []
    for name, text in cells.items():
        column = BY_NAME.get(name)
        if not text or column is None:
            continue
        try:
            bare = values.cell(text)
            if bare:
                told[name] = column.read(bare)
        except values.BadValue as error:
            shown = text[:SHOWN_VALUE].replace("\x00", "␀")
            faults.append(Fault(line, name, shown, error.problem, error.advice))
    if told.get("opening_balance", "untold") is None:
        # A balance of 0 is none, whatever stands beside it.
        told = {name: value for name, value in told.items() if not name.startswith("opening_")}
    faults += _of_the_whole(line, told, {fault.column for fault in faults})
    return faults or Row(line, told)


def _of_the_whole(line: int, told: Mapping[str, Any], bad: set[str]) -> list[Fault]:
    """What single cells cannot tell. A column that is bad already is not complained of again."""
    found = []
    if "email" not in told and "email" not in bad:
        found.append(Fault(line, "email", "", "There is no email address.", "Every customer needs one."))
    has_value, has_currency = "opening_value_minor" in told, "opening_currency" in told
    if has_value != has_currency and not bad & {"opening_value_minor", "opening_currency"}:
        missing = "opening_currency" if has_value else "opening_value_minor"
        found.append(
            Fault(line, missing, "", "A value and its currency belong together.", "Tell both, or empty both cells.")
        )
    if "opening_balance" not in told and "opening_balance" not in bad and (has_value or "opening_expires_at" in told):
        found.append(
            Fault(
                line,
                "opening_balance",
                "",
                "There is a value or an expiry and no balance.",
                "Tell the balance, or empty the cells beside it.",
            )
        )
    return found
