"""Packs come in with a file: wrong, corrected, looked at, confirmed, in the list."""

import pytest

pytestmark = pytest.mark.browser

HEAD = "id,name,credits,price,currency,stripe_price_id,is_active,position\n"
BAD = HEAD + ",<img src=x onerror=alert(1)>,500,40.005,EUR,,true,8\n,Autumn,50,4,EUR,,true,9\n"
GOOD = HEAD + ",<b>Winter</b>,500,40.00,EUR,,true,8\n,Autumn,50,4,EUR,,true,9\n"


def hand_in(page, text):
    page.get_by_label("File").set_input_files({"name": "packs.csv", "mimeType": "text/csv", "buffer": text.encode()})
    page.get_by_label("Reason").fill("Winter sale")
    page.get_by_role("button", name="Upload and look").click()
    page.get_by_role("heading", name="Row by row").wait_for(state="visible")


def fits_a_phone(page):
    page.set_viewport_size({"width": 390, "height": 844})
    fits = page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.set_viewport_size({"width": 1280, "height": 800})
    return fits


def is_good(staff):
    for scheme in ("dark", "light"):
        staff.page.emulate_media(color_scheme=scheme)
        assert staff.serious_faults() == []
    return fits_a_phone(staff.page)


def test_packs_come_in_with_a_file(stack, staff):
    page = staff.page
    page.goto("/admin/billing/creditpack/")
    page.get_by_role("link", name="Import", exact=True).click()
    assert is_good(staff)
    hand_in(page, BAD)
    assert page.get_by_text("A price in EUR has at most 2 decimals.").is_visible()
    assert page.get_by_role("button", name="Import").count() == 0
    assert is_good(staff)
    page.get_by_role("link", name="Another file").click()
    hand_in(page, GOOD)
    assert page.get_by_text("<b>Winter</b>").first.is_visible()
    assert is_good(staff)
    page.get_by_role("button", name="Import").click()
    page.wait_for_url("**/billing/creditpack/")
    assert page.get_by_text("2 added, 0 changed").is_visible()
    assert page.get_by_role("link", name="<b>Winter</b>").is_visible()
