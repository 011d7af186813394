"""The form for dangerous acts, tried on a view of its own: it writes what was done into a list."""

import re
import uuid

import pytest
from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.test import RequestFactory

from backoffice.lib.admin.confirm import Change, ConfirmFormView
from tests.factories import StaffFactory

pytestmark = pytest.mark.django_db


class RefusedError(Exception):
    pass


class AmountForm(forms.Form):
    amount = forms.IntegerField()
    reason = forms.CharField()
    note = forms.CharField(required=False)


class PayView(ConfirmFormView):
    permission_required = "credits.gift_credits"
    form_class = AmountForm
    title = "Pay"
    submit_label = "Pay now"
    domain_errors = (RefusedError,)
    done: list = []

    def get_subject(self, request, **kwargs):
        return "Ada <b>"

    def effect(self, subject, cleaned_data):
        if cleaned_data["amount"] > 100:
            raise RefusedError("That is too much.")
        return [Change("Balance", 5, 5 + cleaned_data["amount"]), Change.told("To whom", "all <of> us")]

    def perform(self, request, subject, cleaned_data, token):
        if cleaned_data["amount"] == 13:
            raise RefusedError("Not on a Friday.")
        self.done.append((cleaned_data["amount"], token))
        return "Paid."

    def success_url(self, subject):
        return "/there/"


@pytest.fixture(autouse=True)
def nothing_done():
    PayView.done = []


@pytest.fixture
def cashier():
    return StaffFactory(permissions=["credits.gift_credits"])


@pytest.fixture
def visit(client):
    """Call the view as ``member``, with the session and the messages of a real request."""

    def call(member, method="get", **data):
        request = getattr(RequestFactory(), method)("/pay/", data)
        request.user, request.session, request.csp_nonce = member, client.session, "nonce"
        request._messages = []
        request._messages = _Messages()
        response = PayView.as_view()(request)
        return response.render() if hasattr(response, "render") else response

    return call


class _Messages(list):
    def add(self, level, message, extra_tags=""):
        self.append(message)


def token_in(response: HttpResponse) -> str:
    return response.context_data["token"]


def form_data(token, **more):
    return {"token": token, "amount": "7", "reason": "thanks", **more}


@pytest.mark.parametrize("method", ["get", "post", "put", "delete"])
def test_without_the_permission_every_method_is_refused(visit, method):
    with pytest.raises(PermissionDenied):
        visit(StaffFactory(), method)
    assert PayView.done == []


def test_the_form_carries_a_new_random_token_each_time(visit, cashier):
    tokens = {token_in(visit(cashier)) for _ in range(3)}
    assert len(tokens) == 3
    assert all(uuid.UUID(token).version == 4 for token in tokens)


def test_one_writes_at_once_in_the_first_field_or_in_the_first_that_is_wrong(visit, cashier):
    def started(page):
        return [name for name in ("amount", "reason") if re.search(rf'name="{name}"[^>]* autofocus', page)]

    empty = visit(cashier)
    assert started(empty.content.decode()) == ["amount"]
    wrong = visit(cashier, "post", token=token_in(empty), amount="7", reason="")
    assert started(wrong.content.decode()) == ["reason"]
    right = visit(cashier, "post", **form_data(token_in(empty)))
    assert started(right.content.decode()) == []


def test_the_preview_shows_the_effect_and_does_nothing(visit, cashier):
    token = token_in(visit(cashier))
    page = visit(cashier, "post", **form_data(token)).content.decode()
    assert PayView.done == []
    assert "Balance" in page and "12" in page
    assert f'value="{token}"' in page
    assert '<input type="hidden" name="amount" value="7"' in page
    assert "Ada &lt;b&gt;" in page


def test_what_is_no_change_of_something_is_told_without_a_before(visit, cashier):
    page = visit(cashier, "post", **form_data(token_in(visit(cashier)))).content.decode()
    changed, told = page.partition("Balance")[2].partition("To whom")[::2]
    told = told.partition("</dl>")[0]
    assert "now</span>5" in changed and "then</span>12" in changed
    assert "all &lt;of&gt; us" in told and "now</span>" not in told and "arrow" not in told


def test_what_was_left_empty_is_not_listed_among_what_was_given(visit, cashier):
    given = (
        visit(cashier, "post", **form_data(token_in(visit(cashier)), note="")).content.decode().partition("given")[2]
    )
    assert "Reason" in given and "Note" not in given.partition("</dl>")[0]


def test_confirmed_it_is_done_once_with_the_token_and_leads_away(visit, cashier):
    token = token_in(visit(cashier))
    response = visit(cashier, "post", **form_data(token, confirm="yes"))
    assert PayView.done == [(7, token)]
    assert (response.status_code, response["Location"]) == (302, "/there/")


def test_a_double_click_hands_the_same_token_to_the_service(visit, cashier):
    token = token_in(visit(cashier))
    for _ in range(2):
        visit(cashier, "post", **form_data(token, confirm="yes"))
    assert {token for _, token in PayView.done} == {token}


@pytest.mark.parametrize("token", ["", "x", "0", "\x00", "11111111-1111-1111-8111-111111111111"])
def test_without_a_valid_token_the_form_is_shown_anew_and_nothing_is_done(visit, cashier, token):
    response = visit(cashier, "post", **form_data(token, confirm="yes"))
    assert PayView.done == []
    assert "gone stale" in response.content.decode()
    assert token_in(response) != token
    assert response.context_data["form"].data["reason"] == "thanks"


def test_an_invalid_value_is_not_done_even_when_confirmed(visit, cashier):
    token = token_in(visit(cashier))
    response = visit(cashier, "post", **form_data(token, amount="seven", confirm="yes"))
    assert PayView.done == []
    assert "Enter a whole number." in response.content.decode()


@pytest.mark.parametrize(
    ("data", "message"),
    [({"amount": "101"}, "That is too much."), ({"amount": "13", "confirm": "yes"}, "Not on a Friday.")],
)
def test_a_refusal_of_the_domain_is_shown_in_the_form(visit, cashier, data, message):
    token = token_in(visit(cashier))
    response = visit(cashier, "post", **form_data(token, **data))
    assert PayView.done == []
    assert message in response.content.decode()
    # A refused act is over: another try is another act. A refused preview was none.
    assert (token_in(response) == token) == ("confirm" not in data)


def test_back_shows_the_form_with_what_was_typed(visit, cashier):
    token = token_in(visit(cashier))
    page = visit(cashier, "post", **form_data(token, confirm="edit")).content.decode()
    assert PayView.done == []
    assert '<input type="number" name="amount" value="7"' in page
