"""``users/{external_id}``: the product's customers as it tells of them."""

from typing import Annotated, Any

from annotated_types import Ge, Le
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import HttpRequest
from ninja import Path, Router, Status
from pydantic import AfterValidator, BaseModel, StringConstraints
from pydantic import WithJsonSchema as JsonSchema

from accounts import selectors, services
from accounts.authentication import IngestKey
from backoffice.lib.api.responses import answers
from backoffice.lib.api.values import Body, Id, PastTime, UtcTime, refused
from backoffice.lib.countries import COUNTRIES

router = Router(tags=["Customers"], auth=IngestKey())

LONGEST_EMAIL = 254
LARGEST_COUNT = 2**31 - 1


def _email(text: str) -> str:
    if len(text) > LONGEST_EMAIL:
        raise refused("invalid_email", f"An email address has at most {LONGEST_EMAIL} characters.")
    try:
        validate_email(text)
    except ValidationError as error:
        raise refused("invalid_email", "This is not an email address.") from error
    return text


def _country(code: str) -> str:
    if code not in COUNTRIES:
        raise refused("invalid_country", "The country is a code of two capital letters by ISO 3166, such as DE.")
    return code


Email = Annotated[str, AfterValidator(_email), JsonSchema({"type": "string", "format": "email", "maxLength": 254})]
Country = Annotated[str, AfterValidator(_country), JsonSchema({"type": "string", "enum": sorted(COUNTRIES)})]
Text64 = Annotated[str, StringConstraints(max_length=64)]
ExternalId = Path(..., min_length=1, max_length=128, description="The product's own id of the customer.")


class UserIn(Body):
    """What is absent stays as it is; null clears."""

    email: Email | None = None
    full_name: Annotated[str, StringConstraints(max_length=200)] | None = None
    plan: Text64 | None = None
    country: Country | None = None
    signup_source: Text64 | None = None
    visitor_id: Id | None = None
    character_count: Annotated[int, Ge(0), Le(LARGEST_COUNT)] | None = None
    referred_by: Text64 | None = None
    demo_mode: bool | None = None
    created_at: PastTime | None = None


class UserOut(BaseModel):
    external_id: str
    email: str
    full_name: str
    status: str
    plan: str
    country: str
    signup_source: str
    character_count: int
    demo_mode: bool
    referral_code: str
    created_at: UtcTime
    last_active_at: UtcTime | None


@router.put("/{external_id}", response=answers({200: UserOut, 201: UserOut}, 404, 409), summary="Tell of a customer")
def put_user(request: HttpRequest, body: UserIn, external_id: str = ExternalId) -> Any:
    """Makes the customer (201) or changes them (200), found by this id alone.

    A new customer needs an email. An email that somebody else has is refused with `email_taken`, and demo mode for
    somebody with a ledger with `already_counted`. The plan is ignored while a subscription is live. `created_at` says
    when the customer joined you, and `visitor_id` gives them what that visitor did before.
    """
    result = services.put_customer(external_id=external_id, told=body.told())
    return Status(201 if result.created else 200, _shown(result.customer))


@router.get("/{external_id}", response=answers({200: UserOut}, 404), summary="A customer")
def get_user(request: HttpRequest, external_id: str = ExternalId) -> Any:
    """The customer as this back office knows them."""
    return _shown(selectors.customer_by_external_id(external_id))


def _shown(customer: Any) -> UserOut:
    fields = {name: getattr(customer, name) for name in UserOut.model_fields if name != "created_at"}
    return UserOut(**fields, created_at=customer.date_joined)
