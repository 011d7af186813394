"""Customers move in with a file: uploaded with errors, corrected, looked at, confirmed, there."""

import re

import pytest

pytestmark = pytest.mark.browser

BAD = "email;full_name;country;opening_balance\nada.l@example.com;Ada;XX;5\n<img src=x onerror=alert(1)>;Eve;DE;\n"
GOOD = "email;full_name;country;opening_balance\nada.l@example.com;Ada Lovelace;GB;5\nbea@example.com;Bea;DE;\n"


def hand_in(page, text):
    page.get_by_label("File").set_input_files(
        {"name": "customers.csv", "mimeType": "text/csv", "buffer": text.encode()}
    )
    page.get_by_label("Reason").fill("Moving in from the old shop")
    page.get_by_role("button", name="Upload and check").click()
    page.wait_for_url("**/imports/customerimport/*/change/")


def fits_a_phone(page):
    page.set_viewport_size({"width": 390, "height": 844})
    fits = page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.set_viewport_size({"width": 1280, "height": 800})
    return fits


def test_customers_move_in_with_a_file(stack, staff):
    page = staff.page
    page.goto("/admin/")
    page.get_by_role("link", name="Imports").first.click()
    page.get_by_role("link", name=re.compile("Add import")).click()
    assert staff.serious_faults() == [] and fits_a_phone(page)
    with page.expect_download() as example:
        page.get_by_role("link", name="Example file").click()
    assert example.value.path().read_text().startswith("email,external_id,full_name,plan,country")

    hand_in(page, BAD)
    errors = page.get_by_role("region", name="Errors").first
    errors.get_by_text("There is no such country.").wait_for(state="visible", timeout=60_000)
    assert page.get_by_text("This is not an email address.").count() == 1
    assert staff.serious_faults() == [] and fits_a_phone(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="All as CSV").click()
    assert len(download.value.path().read_text().splitlines()) == 3

    page.get_by_role("link", name="upload it again").click()
    hand_in(page, GOOD)
    page.get_by_role("button", name=re.compile("Import 2 rows")).wait_for(state="visible", timeout=60_000)
    assert staff.serious_faults() == [] and fits_a_phone(page)
    page.get_by_role("button", name=re.compile("Import 2 rows")).click()
    page.get_by_text("To the customers").wait_for(state="visible", timeout=60_000)
    assert staff.serious_faults() == []

    page.get_by_role("link", name="To the customers").click()
    page.get_by_role("link", name=re.compile("ada.l@example.com")).first.click()
    assert re.search(r"Available\s+5\b", page.locator(".figure-card", has_text="Available").inner_text())
    assert stack.manage("verify_ledger").startswith("ok")
