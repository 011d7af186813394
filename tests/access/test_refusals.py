"""Staff who may nothing, and staff who may only look: no list runs an action for them, none lets rows out or in.

Addresses of their own that lists have are in the matrix, under "no role" and "viewer": see ``test_matrix.py``.
"""

import re

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db import connection
from django.urls import reverse
from import_export.admin import ImportExportMixin

from accounts.models import Tag
from tests.access.askers import sign_in
from tests.factories import StaffFactory
from tests.world import populate, value_of

pytestmark = pytest.mark.django_db

ADMINS = {model._meta.label_lower: each for model, each in admin.site._registry.items()}
# What the stock admin, import-export and our own code are asked to run under.
KNOWN_ACTIONS = {"delete_selected", "export_admin_action"}
PERMISSION = re.compile(r"has_\w+_permission$")
# Looking is what one of the two may; their own jobs everybody may look at.
LOOKING = {"has_view_permission", "has_module_permission", "has_view_or_change_permission"}
WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE|COPY|TRUNCATE)\b(?!.*\b(django_session|accounts_staffsession)\b)", re.S)


@pytest.fixture
def nothing(client):
    member = StaffFactory()
    sign_in(client, member)
    return member


@pytest.fixture
def viewer(client):
    member = StaffFactory()
    member.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    sign_in(client, member)
    return member


@pytest.fixture(params=["nothing", "viewer"])
def stranger(request):
    return request.getfixturevalue(request.param)


def request_of(rf, member):
    request = rf.get("/")
    request.user = member
    return request


def offered(model_admin, request):
    """The names of the actions that a list offers."""
    return set(model_admin.get_actions(request))


def allowed(model_admin, request):
    """What an admin class says may be done, by the names of its methods."""
    methods = {name for name in dir(model_admin) if PERMISSION.match(name)}
    return {name for name in methods if getattr(model_admin, name)(request)}


def writes_of(act):
    """What ``act`` writes, the sessions aside."""
    found = []

    def look(execute, sql, params, many, context):
        text = sql if isinstance(sql, str) else sql.as_string()
        if WRITES.match(text):
            found.append(text)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(look):
        answer = act()
    return answer, found


@pytest.mark.parametrize("label", sorted(ADMINS))
def test_no_list_runs_an_action_for_who_lacks_its_permission(rf, client, stranger, label):
    model_admin = ADMINS[label]
    assert offered(model_admin, request_of(rf, stranger)) == set()
    boss = StaffFactory(is_superuser=True)
    populate(text="Ada", staff=boss)
    options = model_admin.opts
    pk = value_of(f"/admin/{options.app_label}/{options.model_name}/<object_id>/change/", "object_id")
    address = reverse(f"admin:{options.app_label}_{options.model_name}_changelist")
    for action in sorted(offered(model_admin, request_of(rf, boss)) | KNOWN_ACTIONS):
        for sent_as in ({"index": "0"}, {"index": "0", "select_across": "1"}):
            form = {"action": action, "_selected_action": [pk], "post": "yes", **sent_as}
            answer, written = writes_of(lambda form=form: client.post(address, form))
            assert written == [], action
            assert answer.status_code in (200, 302, 403), action
            assert "Content-Disposition" not in answer, action


@pytest.mark.parametrize("label", sorted(ADMINS))
def test_no_admin_class_says_yes_to_who_may_only_look(rf, viewer, label):
    assert allowed(ADMINS[label], request_of(rf, viewer)) <= LOOKING


@pytest.mark.parametrize("label", sorted(ADMINS))
def test_no_admin_class_says_yes_to_who_may_nothing(rf, nothing, label):
    own_jobs = LOOKING if label == "jobs.job" else set()
    assert allowed(ADMINS[label], request_of(rf, nothing)) <= own_jobs


def test_what_lets_everybody_in_by_default_would_be_seen(rf, nothing):
    """The stock ways to leave a list open: an action without permissions, and import-export as it comes."""

    @admin.action(description="Anything")
    def careless(model_admin, request, queryset):
        raise AssertionError("nobody runs it here")

    class Open(ImportExportMixin, admin.ModelAdmin):
        actions = [careless]

    model_admin = Open(Tag, admin.AdminSite())
    assert "careless" in offered(model_admin, request_of(rf, nothing))
    assert {"has_import_permission", "has_export_permission"} <= allowed(model_admin, request_of(rf, nothing))
