"""Ctrl-K, chosen columns and saved filters, by keyboard in a real browser."""

import re

import pytest

pytestmark = pytest.mark.browser

PEOPLE = """
from accounts.models import User
for number in range(3):
    User.objects.create_user(f"jumper{number}@example.com", full_name=f"Joan Jumper {number}", plan="leap")
"""


@pytest.fixture(scope="session")
def jumpers(stack):
    stack.manage("shell", "--no-imports", "-c", PEOPLE)


def chosen(page):
    """The text of the option that Enter would follow, as a screen reader is told."""
    return page.evaluate(
        "document.getElementById(document.getElementById('jump-query').getAttribute('aria-activedescendant'))"
        "?.querySelector('.jump-name').textContent"
    )


def test_ctrl_k_leads_to_a_customer_and_to_a_page_without_a_mouse(stack, staff, jumpers):
    page = staff.page
    page.goto("/admin/")
    page.keyboard.press("Control+k")
    dialog = page.get_by_role("dialog", name="Jump to")
    dialog.wait_for(state="visible")
    # With nothing typed, all pages; then customers by the beginning of a word.
    dialog.get_by_role("option", name=re.compile("^Ledger")).wait_for()
    assert staff.serious_faults() == []
    page.keyboard.type("joan")
    dialog.get_by_role("option", name=re.compile("jumper2@example.com")).wait_for()
    assert staff.serious_faults() == []
    assert chosen(page) == "jumper2@example.com"
    page.keyboard.press("ArrowDown")
    assert chosen(page) == "jumper1@example.com"
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    assert chosen(page) == "jumper0@example.com"
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/accounts/customer/*/change/")
    page.get_by_text("jumper0@example.com").first.wait_for()

    page.keyboard.press("Control+k")
    page.keyboard.type("zzzz")
    dialog.get_by_text("Nothing is found for").wait_for()
    assert chosen(page) is None
    page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    page.keyboard.press("Meta+k")
    page.keyboard.type("lots")
    dialog.get_by_role("option", name=re.compile("^Lots")).wait_for()
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/credits/creditlot/")


def test_what_goes_wrong_with_a_search_is_told(stack, staff):
    page = staff.page
    page.goto("/admin/")
    page.route("**/admin/jump/**", lambda route: route.abort())
    page.get_by_role("link", name=re.compile("Jump to")).click()
    page.get_by_role("alert").get_by_text("This did not work").wait_for()
    page.unroute("**/admin/jump/**")
    page.keyboard.type("led")
    page.get_by_role("option", name=re.compile("^Ledger")).wait_for()
    staff.complaints.clear()  # The browser itself logs the request that was cut off.


def test_the_page_without_a_script_does_the_same(stack, staff, browser, jumpers):
    context = browser.new_context(
        base_url=stack.url, java_script_enabled=False, storage_state=staff.page.context.storage_state()
    )
    page = context.new_page()
    page.goto("/admin/")
    page.get_by_role("link", name=re.compile("Jump to")).click()
    page.locator("#jump-page-query").fill("joan")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name=re.compile("jumper1@example.com")).click()
    page.wait_for_url("**/admin/accounts/customer/*/change/")
    context.close()


def test_columns_are_chosen_and_a_filter_is_saved_and_opened(stack, staff, jumpers):
    page = staff.page
    page.goto("/admin/accounts/customer/?plan=leap&o=-credits")
    page.locator("#column-chooser > summary").click()
    page.get_by_label("Generations").uncheck()
    page.get_by_label("Product's ID").check()
    assert staff.serious_faults() == []
    page.get_by_role("button", name="Show these").click()
    page.get_by_role("columnheader", name="Product's ID").wait_for()
    assert page.get_by_role("columnheader", name="Generations").count() == 0
    assert page.url.endswith("?o=-credits&plan=leap")

    page.locator("#saved-filter > summary").click()
    page.get_by_label("Name").fill("Leapers <b>all</b>")
    page.get_by_role("button", name="Save", exact=True).click()
    tab = page.get_by_role("link", name="Leapers <b>all</b>")
    tab.wait_for()
    assert tab.get_attribute("aria-current") == "page"
    assert staff.serious_faults() == []
    page.locator("#saved-filter > summary").click()
    page.get_by_role("button", name="Open the list with this").click()
    page.get_by_text("The list opens with this").wait_for()

    page.goto("/admin/")
    page.get_by_role("link", name="Customers").first.click()
    page.wait_for_url("**/admin/accounts/customer/?o=-credits&plan=leap")
    assert page.locator("#result_list tbody tr").count() == 3
    page.get_by_role("link", name="All", exact=True).click()
    page.wait_for_url("**/admin/accounts/customer/?all=")
    page.get_by_role("link", name="Leapers <b>all</b>").click()
    page.locator("#saved-filter > summary").click()
    page.get_by_role("button", name="Delete").click()
    page.get_by_text("Deleted “Leapers <b>all</b>”.").wait_for()
    page.goto("/admin/accounts/customer/")
    assert page.url.endswith("/admin/accounts/customer/")
    page.locator("#column-chooser > summary").click()
    page.get_by_role("button", name="As at first").click()
    page.get_by_role("columnheader", name="Generations").wait_for()
