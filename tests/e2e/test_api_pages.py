"""The API's documentation and the page of its keys, in a real browser."""

import json
import re

import pytest

pytestmark = pytest.mark.browser


def faults_on(page, staff):
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        yield from staff.serious_faults()
    page.set_viewport_size({"width": 390, "height": 844})
    if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
        yield f"{page.url} is wider than a phone"
    page.set_viewport_size({"width": 1280, "height": 800})


def test_the_documentation_is_read_under_the_strict_policy(stack, staff):
    page = staff.page
    assert page.goto("/api/v1/docs").status == 200
    described = json.loads(page.request.get("/api/v1/openapi.json").text())
    assert page.locator("main section").count() == sum(map(len, described["paths"].values()))
    # The styles are in force, not only free of complaints.
    assert page.evaluate("getComputedStyle(document.body).display") == "grid"
    assert list(faults_on(page, staff)) == []


def test_a_key_is_made_copied_used_and_revoked(stack, staff):
    page = staff.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/admin/accounts/apikey/add/")
    assert list(faults_on(page, staff)) == []
    page.get_by_label("Name").fill("shop")
    page.get_by_label("Ingest").check()
    page.get_by_role("button", name="Make the key").click()
    page.get_by_role("button", name=re.compile("^Copy")).click()
    key = page.evaluate("navigator.clipboard.readText()")
    assert key.startswith("bo_")
    assert list(faults_on(page, staff)) == []
    assert put_status(page, key) == 201
    page.get_by_role("link", name="I have it").click()
    page.get_by_role("link", name="shop").click()
    assert list(faults_on(page, staff)) == []
    page.get_by_role("link", name="Revoke").click()
    page.get_by_label("Reason").fill("lost")
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Revoke").click()
    page.get_by_text("shop is revoked").wait_for()
    assert put_status(page, key) == 401


def put_status(page, key):
    headers = {"Authorization": f"Bearer {key}"}
    return page.request.put("/api/v1/users/u_browser", data={"email": "browser@example.com"}, headers=headers).status
