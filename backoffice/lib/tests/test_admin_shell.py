"""The shell of every page: sidebar, home, customer page, time zone and preferences."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.db import connection
from django.template import Context, Template
from django.template.loader import render_to_string
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from backoffice.lib import registry
from backoffice.lib.admin.navigation import _badge, current_item, sidebar
from backoffice.lib.admin.panels import customer_page
from backoffice.lib.admin.timezones import zone_named
from tests.factories import CustomerFactory, StaffFactory

pytestmark = pytest.mark.django_db

HOME = reverse("admin:index")
CUSTOMERS = reverse("admin:accounts_customer_changelist")


@pytest.fixture
def navigation(monkeypatch):
    """Three entries: customers, customers that wait, audit."""
    entries = registry.Registry("navigation")
    first = registry.NavigationItem(
        key="people",
        section="Customers",
        label="People",
        url_name="admin:accounts_customer_changelist",
        icon="users",
        permission="accounts.view_customer",
    )
    entries.register(first)
    entries.register(
        replace(
            first, key="home", label="Waiting", url_name="admin:index", section="Billing", order=5, badge=lambda: 1234
        )
    )
    entries.register(
        replace(
            first,
            key="audit",
            label="Log",
            section="Audit",
            url_name="admin:audit_auditentry_changelist",
            permission="audit.view_auditentry",
        )
    )
    monkeypatch.setattr(registry, "navigation", entries)
    return entries


def request_of(rf, member, path=HOME):
    request = rf.get(path)
    request.user = member
    return request


def labels(sections):
    return {section.label: [item.label for item in section.items] for section in sections}


def test_the_sidebar_holds_what_someone_may_see_in_the_fixed_order(rf, navigation):
    support = StaffFactory(permissions=["accounts.view_customer"])
    auditor = StaffFactory(permissions=["audit.view_auditentry"])
    assert labels(sidebar(request_of(rf, support))) == {"Customers": ["People"], "Billing": ["Waiting"]}
    assert labels(sidebar(request_of(rf, auditor))) == {"Audit": ["Log"]}
    assert sidebar(request_of(rf, StaffFactory())) == []


def test_a_page_belongs_to_the_entry_with_the_longest_address_above_it(rf, navigation):
    support = StaffFactory(permissions=["accounts.view_customer"])
    at_customer = sidebar(request_of(rf, support, f"{CUSTOMERS}5/change/"))
    elsewhere = sidebar(request_of(rf, support, reverse("admin:password_change")))
    assert current_item(at_customer).key == "people"
    assert current_item(elsewhere).key == "home"
    assert current_item(sidebar(request_of(rf, StaffFactory(), CUSTOMERS))) is None


def test_badges_are_asked_only_for_those_who_see_them_and_a_broken_one_is_left_out(rf, navigation):
    asked = []

    def broken():
        asked.append(True)
        raise RuntimeError("down")

    entry = next(iter(navigation))
    navigation.register(replace(entry, key="broken", badge=broken))
    sidebar(request_of(rf, StaffFactory()))
    assert asked == []
    [_, billing] = sidebar(request_of(rf, StaffFactory(permissions=["accounts.view_customer"])))
    assert asked == [True]
    assert [(item.key, item.badge) for item in billing.items] == [("broken", None), ("home", 1234)]


def test_a_badge_of_the_house_costs_one_query(rf):
    request = request_of(rf, StaffFactory(is_superuser=True))
    costs = {}
    for entry in registry.navigation:
        with CaptureQueriesContext(connection) as queries:
            _badge(request, entry)
        # Within a transaction each stands in a savepoint of its own.
        costs[entry.key] = sum("SAVEPOINT" not in query["sql"] for query in queries.captured_queries)
    asking = {key for key, cost in costs.items() if cost}
    assert asking >= {"approvals", "audit-proofs", "figures", "integrity", "messages"}
    assert max(costs.values()) == 1


def test_home_shows_what_waits_and_a_card_for_each_section(client, navigation):
    client.force_login(StaffFactory(permissions=["accounts.view_customer"]))
    page = client.get(HOME).content.decode()
    assert "1,234" in page
    assert page.count('class="home-link"') == 2


def test_home_says_first_what_is_broken_to_whoever_may_see_it(client, navigation):
    entry = next(iter(navigation))
    navigation.register(replace(entry, key="sound", badge=lambda: 0, alarm="All is well, and this is never seen."))
    navigation.register(replace(entry, key="proof", label="Proofs", badge=lambda: 7, alarm="The ledger <b> is broken."))
    client.force_login(StaffFactory(permissions=["accounts.view_customer"]))
    page = client.get(HOME).content.decode()
    [alarm] = re.findall(r'<p class="callout bad" role="alert">(.*?)</p>', page, re.S)
    assert "The ledger &lt;b&gt; is broken." in alarm
    assert "Proofs: see what was found" in alarm
    # What only waits stands below it.
    assert page.index("is broken.") < page.index("1,234")
    client.force_login(StaffFactory())
    assert 'role="alert"' not in client.get(HOME).content.decode()


def test_home_tells_someone_without_rights_what_to_do(client):
    client.force_login(StaffFactory())
    assert "Ask a super admin" in client.get(HOME).content.decode()


def test_the_stock_list_of_an_app_leads_home(client):
    client.force_login(StaffFactory(is_superuser=True))
    response = client.get(reverse("admin:app_list", args=["accounts"]))
    assert (response.status_code, response["Location"]) == (302, HOME)


def test_no_list_offers_the_stock_bulk_deletion(client):
    client.force_login(StaffFactory(is_superuser=True))
    Group.objects.create(name="Painters")
    page = client.get(reverse("admin:accounts_role_changelist")).content.decode()
    assert "Painters" in page
    assert "delete_selected" not in page


@pytest.fixture
def panels(monkeypatch):
    entries = registry.Registry("panels")
    monkeypatch.setattr(registry, "customer_panels", entries)
    monkeypatch.setattr(registry, "customer_figures", registry.Registry("figures"))
    return entries


def panel(key, context, **more):
    fields = {"title": key, "template": "accounts/panels/activity.html", "permission": "accounts.view_customer"}
    return registry.CustomerPanel(key=key, context=context, **(fields | more))


def test_a_panel_that_fails_shows_its_error_and_the_others_live(rf, panels):
    def query_fails(request, customer):
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1/0")

    panels.register(panel("broken", query_fails, order=1))
    panels.register(panel("well", lambda request, customer: {"events": customer.activity.all()}, order=2))
    page = customer_page(request_of(rf, StaffFactory(permissions=["accounts.view_customer"])), CustomerFactory())
    broken, well = page["panels_main"]
    assert (broken.error, broken.html) == ("DataError", "")
    assert well.error == ""
    assert "Nothing yet" in well.html


def test_panels_figures_and_actions_need_their_permission(rf, panels):
    panels.register(panel("secret", lambda request, customer: {}, permission="audit.view_auditentry"))
    page = customer_page(request_of(rf, StaffFactory(permissions=["accounts.view_customer"])), CustomerFactory())
    assert page == {"figures": [], "action_groups": [], "panels_main": [], "panels_side": []}


def test_a_figure_that_fails_is_a_dash(rf, panels):
    def fails(customer):
        raise LookupError(customer)

    registry.customer_figures.register(
        registry.CustomerFigure(key="x", label="Risk", permission="accounts.view_customer", value=fails)
    )
    page = customer_page(request_of(rf, StaffFactory(permissions=["accounts.view_customer"])), CustomerFactory())
    assert str(page["figures"][0].value) == '<span class="absent" title="LookupError">—</span>'


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        ("", "UTC"),
        ("Mars/Phobos", "UTC"),
        ("../../etc/passwd", "UTC"),
        ("Europe", "UTC"),
        ("\x00", "UTC"),
        ("a" * 5000, "UTC"),
    ],
)
def test_the_zone_of_the_browser_is_taken_if_there_is_such_a_zone(name, zone):
    assert zone_named(name).key == zone


def test_pages_show_times_in_the_zone_that_the_cookie_names(client):
    client.force_login(StaffFactory(is_superuser=True))
    CustomerFactory()
    client.cookies["timezone"] = "Asia/Kolkata"
    assert " IST · " in client.get(CUSTOMERS).content.decode()


@pytest.mark.parametrize(
    ("cookie", "theme"),
    [("dark", "dark"), ("light", "light"), ("auto", "auto"), ('x" onload="y', "auto"), ("", "auto")],
)
def test_the_page_is_painted_in_the_chosen_theme_at_once(client, cookie, theme):
    client.cookies["theme"] = cookie
    page = client.get(reverse("admin:login")).content.decode()
    assert f'data-theme="{theme}"' in page
    assert "onload" not in page


@pytest.mark.parametrize("name", ["400", "403", "403_csrf", "404", "500"])
def test_error_pages_need_nothing_of_a_request(name):
    page = render_to_string(f"{name}.html")
    assert name[:3] in page
    assert 'data-theme="auto"' in page


def sprite():
    return (Path(settings.BASE_DIR) / "static/img/icons.svg").read_text()


def test_every_registered_icon_is_drawn():
    drawn = sprite()
    wanted = {entry.icon for entries in (registry.navigation, registry.customer_actions) for entry in entries}
    assert [name for name in sorted(wanted) if f'<symbol id="{name}"' not in drawn] == []


def test_the_tags_are_built_in():
    template = Template("{% icon 'gift' %}{% money 1234 'EUR' %}{{ text|copyable }}{% moment None %}")
    html = template.render(Context({"text": "<b>"}))
    assert "icons.svg#gift" in html
    assert "€12.34" in html
    assert "&lt;b&gt;" in html
