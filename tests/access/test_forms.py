"""What forms are sent beside what they show, and whose pages are asked for under whose name: over all of the admin."""

import re
from datetime import date, datetime
from itertools import count

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db import models
from django.test import Client
from django.urls import reverse

from accounts.models import Customer, StaffMember, User
from tests.access.askers import sign_in
from tests.access.routes import addresses, filled
from tests.factories import StaffFactory
from tests.world import COLLEAGUE, CUSTOMER, populate, value_of

pytestmark = pytest.mark.django_db

ADMINS = {model._meta.label_lower: each for model, each in admin.site._registry.items()}
EVIL = "evil.example"
_numbers = count(1)


@pytest.fixture(autouse=True)
def world():
    populate(text="Ada", staff=StaffFactory(is_superuser=True))
    # No form would send back the address that the world gives its customer.
    User.objects.update(avatar="")


@pytest.fixture
def boss(client):
    member = StaffFactory(is_superuser=True)
    sign_in(client, member)
    return member


@pytest.fixture
def powerful(client):
    """Somebody with every permission who is no super admin."""
    member = StaffFactory()
    member.user_permissions.set(Permission.objects.all())
    sign_in(client, member)
    return member


def address(model_admin, page, *args):
    options = model_admin.opts
    return reverse(f"admin:{options.app_label}_{options.model_name}_{page}", args=args)


def pk_in(model_admin):
    """A record of the world that the pages of this admin show."""
    return value_of(
        f"/admin/{model_admin.opts.app_label}/{model_admin.opts.model_name}/<object_id>/change/", "object_id"
    )


def row(model, pk):
    return model._base_manager.filter(pk=pk).values().get()


def all_rows(model):
    return sorted(model._base_manager.values_list("pk", flat=True), key=str)


def forged(field):
    """A value that no form would send for a column."""
    if isinstance(field, models.BooleanField):
        return "on"
    if isinstance(field, models.DateTimeField):
        return "2001-01-01T00:00:00"
    if isinstance(field, (models.IntegerField, models.DecimalField, models.ForeignKey)):
        return str(900_000 + next(_numbers))
    return f"forged{next(_numbers)}"


def form_of(page):
    """The form of a record's page; None where the page has none."""
    return page.context["adminform"].form if "adminform" in page.context else None


def shown_values(page):
    """What a browser would send back of the forms of a record as they are shown, those of its parts included."""
    form = form_of(page)
    if form is None:
        return {}
    formsets = [inline.formset for inline in page.context["inline_admin_formsets"]]
    parts = [part for formset in formsets for part in (formset.management_form, *formset.initial_forms)]
    return {name: value for each in (form, *parts) for name, value in values_of(each)}


def values_of(form):
    for name in form.fields:
        value = form[name].value()
        if isinstance(value, (datetime, date)):
            value = value.isoformat()
        if isinstance(value, (list, tuple, models.QuerySet)):
            yield form.add_prefix(name), [getattr(item, "pk", item) for item in value]
        elif value is not None and value is not False:
            yield form.add_prefix(name), "on" if value is True else value


@pytest.mark.parametrize("label", sorted(ADMINS))
def test_no_hidden_field_of_a_form_changes_what_the_form_does_not_show(client, boss, label):
    model_admin = ADMINS[label]
    pk = pk_in(model_admin)
    page = client.get(address(model_admin, "change", pk))
    assert page.status_code == 200
    form = form_of(page)
    hidden = [field for field in model_admin.opts.concrete_fields if not form or field.name not in form.fields]
    before = row(model_admin.model, pk)
    told = {name: forged(field) for field in hidden for name in (field.name, field.attname)}
    response = client.post(address(model_admin, "change", pk), {**shown_values(page), **told})
    # A page without a form shows itself again.
    assert response.status_code in ((302, 403) if form else (200, 403)), response.context["errors"]
    after = row(model_admin.model, pk)
    # When a row was last written is noted by the model itself.
    kept = [field.attname for field in hidden if not getattr(field, "auto_now", False)]
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}


@pytest.mark.parametrize("label", sorted(ADMINS))
def test_all_permissions_do_not_make_a_super_admin(client, powerful, label):
    """Whoever may change everything changes neither their rights nor anybody's."""
    model_admin = ADMINS[label]
    pk = pk_in(model_admin)
    rights = ["is_superuser", "is_staff", "status", "password", "groups", "user_permissions"]
    before = list(User.objects.order_by("pk").values(*rights[:4])), list(User.groups.through.objects.values())
    page = client.get(address(model_admin, "change", pk))
    sent = shown_values(page) if page.status_code == 200 else {}
    for where in (address(model_admin, "change", pk), address(model_admin, "add")):
        client.post(where, sent | dict.fromkeys(rights, "1") | {"is_superuser": "on", "is_staff": "on"})
    assert (list(User.objects.order_by("pk").values(*rights[:4])), list(User.groups.through.objects.values())) == before


FORGED_ACTIONS = ["delete_selected", "export_admin_action", "make_superuser", "__class__", ""]


@pytest.mark.parametrize("action", FORGED_ACTIONS)
@pytest.mark.parametrize("label", sorted(ADMINS))
def test_a_list_does_nothing_that_it_does_not_offer(client, boss, label, action):
    model_admin = ADMINS[label]
    pk = pk_in(model_admin)
    before = all_rows(model_admin.model), row(model_admin.model, pk)
    form = {"action": action, "_selected_action": [pk], "index": "0", "select_across": "1", "post": "yes"}
    assert client.post(address(model_admin, "changelist"), form).status_code in (200, 302)
    assert (all_rows(model_admin.model), row(model_admin.model, pk)) == before


@pytest.mark.parametrize("label", sorted(ADMINS))
def test_no_list_is_edited_in_place(client, boss, label):
    model_admin = ADMINS[label]
    assert not model_admin.list_editable
    pk = pk_in(model_admin)
    before = row(model_admin.model, pk)
    management = {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "form-0-id": pk, "_save": "Save"}
    cells = {f"form-0-{field.name}": forged(field) for field in model_admin.opts.concrete_fields}
    assert client.post(address(model_admin, "changelist"), management | cells).status_code in (200, 302)
    assert row(model_admin.model, pk) == before


@pytest.mark.parametrize("label", sorted(ADMINS))
def test_every_action_of_a_list_names_the_permission_that_it_takes(rf, powerful, label):
    model_admin = ADMINS[label]
    request = rf.get("/")
    request.user = powerful
    for function, name, _ in model_admin.get_actions(request).values():
        assert getattr(function, "allowed_permissions", None), name


def places_of_people():
    """Every address that takes the id of a person, with the place that it stands in."""
    for each in addresses():
        if not each.startswith("/admin/"):
            continue
        for place in re.findall(r"<(\w+)>", each):
            found = "customer" if place == "user_id" or "/customer/<object_id>" in each else ""
            found = found or ("colleague" if "/staffmember/<" in each else "")
            if found and each.rstrip("/").rpartition("/")[2] != f"<{place}>":
                yield pytest.param(each, place, found, id=f"{each} {place}")


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize(("place_of", "place", "whose"), list(places_of_people()))
def test_the_id_of_a_colleague_opens_no_page_of_a_customer_nor_the_reverse(
    client, boss, place_of, place, whose, method
):
    people = {"customer": Customer.objects.get(email=CUSTOMER), "colleague": StaffMember.objects.get(email=COLLEAGUE)}
    stranger = people["colleague" if whose == "customer" else "customer"]
    other = filled(place_of, lambda where, name: stranger.pk if name == place else value_of(where, name))
    before = row(User, stranger.pk)
    assert getattr(client, method)(other).status_code in (403, 404, 405), other
    assert row(User, stranger.pk) == before


def test_a_list_is_not_asked_for_the_rows_of_another(client, boss):
    stranger = StaffMember.objects.get(email=COLLEAGUE)
    export = reverse("admin:accounts_customer_export", args=["users"])
    for query in (f"id__exact={stranger.pk}", f"pk__in={stranger.pk}", "is_staff__exact=1", "password__startswith=p"):
        assert client.post(f"{export}?{query}").status_code == 400, query
    csv = b"".join(client.post(f"{export}?q={stranger.email}").streaming_content).decode()
    assert stranger.email not in csv


@pytest.mark.parametrize("model", [Customer, StaffMember, User])
def test_nobody_is_looked_up_by_autocomplete_who_is_offered_nowhere(client, boss, model):
    query = {"app_label": "accounts", "model_name": model._meta.model_name, "field_name": "groups", "term": "a"}
    assert client.get(reverse("admin:autocomplete"), query).status_code == 403


def paths():
    return {each: filled(each, value_of) for each in addresses()}


# Reports that browsers send by themselves, signed deliveries, and programs with a key.
WITHOUT_TOKEN = re.compile(r"^/(csp-reports|script-errors|webhooks|api/v1)/")


def test_without_the_token_of_our_own_page_no_address_takes_a_form():
    strict = Client(enforce_csrf_checks=True, raise_request_exception=False)
    sign_in(strict, StaffFactory(is_superuser=True))
    open_to_forms = {
        each: status
        for each, path in paths().items()
        if not WITHOUT_TOKEN.match(each) and (status := strict.post(path).status_code) != 403
    }
    assert open_to_forms == {}


def test_a_foreign_host_reaches_nothing(client, boss):
    for each, path in paths().items():
        assert client.get(path, headers={"Host": EVIL}).status_code == 400, each
        assert client.post(path, headers={"Host": EVIL}).status_code == 400, each


def test_a_foreign_origin_sends_no_form():
    strict = Client(enforce_csrf_checks=True, raise_request_exception=False)
    sign_in(strict, StaffFactory(is_superuser=True))
    page = strict.get(reverse("admin:accounts_role_add"))
    token = page.context["csrf_token"]
    form = {"name": "Painters", "csrfmiddlewaretoken": str(token)}
    for origin in (f"https://{EVIL}", "null"):
        sent = strict.post(reverse("admin:accounts_role_add"), form, headers={"Origin": origin})
        assert sent.status_code == 403
    assert (
        strict.post(reverse("admin:accounts_role_add"), form, headers={"Origin": "http://testserver"}).status_code
        == 302
    )
