"""Many customers at once: chosen in their list, shown first, done by a job, taken back, allowed by a second person."""

import json
import re

import pytest

from tests.e2e.conftest import PASSWORD

pytestmark = pytest.mark.browser

# More than a page of the list holds, one of them banned already.
HERD = 60
PEOPLE = """
from django.contrib.auth.models import Group
from accounts.models import StaffMember, User
for email, name, role in (
    ("sue.support@example.com", "Sue Support", "Support"), ("bob.billing@example.com", "Bob Billing", "Billing admin"),
):
    member = StaffMember.objects.create_user(email, {password!r}, is_staff=True, full_name=name)
    member.groups.add(Group.objects.get(name=role))
for number in range({herd}):
    User.objects.create_user(f"herd{{number}}@example.com", full_name=f"Ada Herd{{number}}")
User.objects.filter(email="herd55@example.com").update(status="banned", status_reason="Spam")
"""
TOLD = """
import json
from audit.models import AuditEntry
told = AuditEntry.objects.filter(resource_type="jobs.job", resource_id__in={ids}).order_by("seq")
print(json.dumps([[entry.action, entry.actor_label, entry.reason] for entry in told]))
"""
HERD_LIST = "/admin/accounts/customer/?q=herd"


@pytest.fixture(scope="module")
def herd(stack):
    stack.manage("shell", "--no-imports", "-c", PEOPLE.format(password=PASSWORD, herd=HERD))


def told(stack, *jobs):
    """What the audit log holds about the jobs with these pages."""
    ids = [re.search(r"/job/([0-9]+)/", address)[1] for address in jobs]
    return json.loads(stack.manage("shell", "--no-imports", "-c", TOLD.format(ids=ids)).splitlines()[-1])


def choose(page, act, *numbers):
    """Choose customers of the herd in their list, or all that match, and what to do with them."""
    page.goto(HERD_LIST)
    for number in numbers:
        page.locator("tr", has_text=f"herd{number}@").get_by_role("checkbox").check()
    if not numbers:
        page.locator("#action-toggle").check()
        page.get_by_role("button", name=f"Select all {HERD}").click()
    page.locator("select[name=action]").select_option(label=act)
    page.get_by_role("button", name="Go").click()


def go_on(page, button):
    """Look at the effect, which is returned in words, and confirm it."""
    page.get_by_role("button", name="Continue").click()
    lines = page.locator(".effect > div").all_inner_texts()
    effect = "; ".join(" ".join(line.replace("then", "").split()) for line in lines)
    if button:
        page.get_by_role("button", name=button).click()
    return effect


def ends(page, done, refused=0):
    """Wait on the job's page, which nobody loads again, until the job is done; the page's address."""
    page.locator("#job-stands + .badge", has_text="Done").wait_for(timeout=30_000)
    figures = " ".join(page.locator("#job-live .figures").inner_text().split())
    assert f"{done} of {done}" in figures and re.search(rf"Refused {refused}\b", figures, re.IGNORECASE), figures
    return page.url


def undo(page, reason):
    page.get_by_role("link", name="Undo").click()
    page.get_by_label("Reason").fill(reason)
    return go_on(page, "Undo")


def cell(page, number, name):
    page.goto(HERD_LIST)
    return page.locator("tr", has_text=f"herd{number}@").locator(f".field-{name}").inner_text().partition("\n")[0]


def test_given_banned_and_mailed_together_shown_first_and_taken_back(stack, staff, herd):
    page = staff.page

    # All that match, more than the page shows; who and how much is said before anything is done.
    choose(page, "Gift credits")
    page.get_by_label("Amount").fill("5")
    page.get_by_label("Reason").fill("Sorry for the outage")
    effect = go_on(page, None)
    assert f"{HERD}: Ada Herd0" in effect and f"and {HERD - 3} more" in effect and "Credits in total 300" in effect
    assert staff.serious_faults() == []
    page.get_by_role("button", name="Gift credits").click()
    gift = ends(page, HERD)
    assert staff.serious_faults() == []
    page.get_by_role("link", name="Its ledger entries").click()
    assert page.locator("#result_list tbody tr").count() == 50
    assert cell(page, 30, "credits") == "5" == cell(page, 59, "credits")
    page.goto(gift)
    assert "Credits given 300" in undo(page, "Wrong day")
    back = ends(page, HERD)
    assert cell(page, 30, "credits") == "0" == cell(page, 59, "credits")

    # Some of them, one of whom is banned already and stays so through the undo.
    choose(page, "Ban", 55, 57, 58)
    page.get_by_label("Reason").select_option("Spam or fake account")
    page.get_by_label("For", exact=True).select_option("7 days")
    effect = go_on(page, "Ban")
    assert "1 who are banned already" in effect and "2: Ada Herd" in effect
    bans = ends(page, 3, refused=1)
    page.get_by_role("region", name="Left as they were").get_by_text("herd55@example.com").first.wait_for()
    assert cell(page, 58, "status_badge") == "Banned"
    page.goto(bans)
    undo(page, "They were real")
    unbans = ends(page, 2)
    assert [cell(page, number, "status_badge") for number in (55, 57, 58)] == ["Banned", "Active", "Active"]

    # A mail is read as its first recipient would, and not sent after all.
    choose(page, "Send mail", 57, 58)
    page.get_by_label("Subject").fill("News for {first_name}")
    page.get_by_label("Text").fill("Dear {nobody},")
    page.get_by_label("Reason").fill("News")
    page.get_by_role("button", name="Continue").click()
    page.get_by_text("{nobody} cannot be filled in.").wait_for()
    page.get_by_label("Text").fill("Dear {name}, you have {credits} credits.")
    assert "Dear Ada Herd57, you have 0 credits." in go_on(page, None)
    page.get_by_role("link", name="Cancel").click()

    # Taken along as a file of those who were chosen.
    choose(page, "Export CSV", 57, 58)
    go_on(page, "Export CSV")
    file = ends(page, 2)
    with page.expect_download() as download:
        page.get_by_role("button", name=re.compile(r"users_.*\.csv")).click()
    assert [line.split(",")[1] for line in download.value.path().read_text().splitlines()[1:]] == [
        "herd57@example.com",
        "herd58@example.com",
    ]

    # The audit log has one line for each act, however many it was for.
    assert [(action, reason) for action, _, reason in told(stack, gift, back, bans, unbans, file)] == [
        ("jobs.start", "Sorry for the outage"),
        ("jobs.undo", "Wrong day"),
        ("jobs.start", "Spam or fake account"),
        ("jobs.undo", "They were real"),
        ("jobs.start", ""),
        ("jobs.download", ""),
    ]
    assert stack.manage("verify_ledger").startswith("ok")


def test_a_gift_to_many_above_the_limit_of_a_role_is_done_when_a_second_person_allows_it(stack, colleague, herd):
    sue, bob = colleague("sue.support@example.com"), colleague("bob.billing@example.com")
    page = sue.page
    choose(page, "Gift credits", 10, 11, 12)
    page.get_by_label("Amount").fill("200")
    page.get_by_label("Reason").fill("A week was lost")
    page.get_by_role("button", name="Continue").click()
    page.get_by_text("Your limit for one act is 100 credits.").wait_for()
    page.get_by_role("button", name="Request approval").click()
    page.get_by_text("Nothing happens until a second person allows it").wait_for()
    assert sue.serious_faults() == []
    job = page.url
    assert cell(page, 10, "credits") == "0"

    page = bob.page
    page.goto("/admin/")
    page.get_by_title("What waits").filter(has_text="waiting in Approvals").click()
    page.get_by_role("link", name=f"job {re.search('[0-9]+', job.partition('/job/')[2])[0]}").click()
    page.get_by_role("region", name="What was asked").get_by_text("A week was lost").wait_for()
    page.get_by_role("link", name=re.compile("request [0-9]+")).click()
    assert "Ada Herd10, Ada Herd11, Ada Herd12" in page.inner_text("main")
    page.get_by_role("link", name="Approve").click()
    page.get_by_label("A word on it").fill("Fair")
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Approve").click()
    page.get_by_text("Approved and done.").wait_for()

    page = sue.page
    page.goto(job)
    ends(page, 3)
    assert cell(page, 12, "credits") == "200"
    assert [(action, who) for action, who, _ in told(stack, job)] == [
        ("jobs.request_approval", "sue.support@example.com"),
        ("jobs.start", "sue.support@example.com"),
        ("jobs.approve", "bob.billing@example.com"),
    ]
