"""Pictures of the product with its demo company: ``make screenshots``."""

import shutil
import sys
from collections.abc import Callable

from playwright.sync_api import Browser, Page

from tests import stack as stacks
from tests.e2e.staff import Staff, chromium

FOLDER = stacks.REPOSITORY / "var" / "screenshots"
# Those that the README and the guide for staff show.
SHOWN = {
    "many-light.png": "customers.png",
    "customer-dark.png": "customer-dark.png",
    "login-light.png": "login.png",
    "job-light.png": "job.png",
    "approval-light.png": "approval.png",
    "audit-change-light.png": "audit.png",
}
LOOKS = {
    "light": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light"},
}
LISTS = {
    "customers": "/admin/accounts/customer/",
    "ledger": "/admin/credits/credittransaction/",
    "payments": "/admin/billing/payment/",
    "stripe-events": "/admin/billing/stripeevent/",
    "audit": "/admin/audit/auditentry/",
    "approvals": "/admin/jobs/approval/",
    "jobs": "/admin/jobs/job/",
}
# The job is done before anybody could take its picture: it is put back to where it was half-way, and left alone there.
HALF_WAY = """
from datetime import timedelta
from jobs.models import Job
job = Job.objects.latest("pk")
job.state, job.done, job.finished_at, job.queued_at = "running", job.total * 3 // 5, None, job.queued_at + timedelta(1)
job.save()
"""


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with stacks.data_directory() as data_dir, stacks.running(data_dir) as stack, chromium() as browser:
        password = (data_dir / "secrets" / "demo-password").read_text().strip()
        for look, options in LOOKS.items():
            photograph(browser, stack, look, options, password)
    for taken, shown in SHOWN.items():
        shutil.copy(FOLDER / taken, stacks.REPOSITORY / "docs" / "images" / shown)
    sys.stdout.write(f"{len(list(FOLDER.glob('*.png')))} pictures in {FOLDER}\n")


def photograph(browser: Browser, stack: stacks.Stack, look: str, options: dict, password: str) -> None:
    context = browser.new_context(base_url=stack.url, reduced_motion="reduce", **options)
    page = context.new_page()

    def keep(name: str, **more: bool) -> None:
        page.screenshot(path=FOLDER / f"{name}-{look}.png", **more)

    page.goto("/admin/")
    keep("login")
    staff = Staff(page)
    staff.log_in("admin@example.com", password)
    keep("home")
    for name, address in LISTS.items():
        page.goto(address)
        keep(name)
    page.goto(biggest_spender(page))
    keep("customer")
    keep("customer-whole", full_page=True)
    # On a phone the acts are folded away.
    page.goto(page.locator("a", has_text="Gift credits").first.get_attribute("href"))
    keep("gift")
    page.get_by_label("Amount").fill("100")
    page.get_by_label("Reason").fill("Sorry for the outage on Tuesday")
    page.get_by_role("button", name="Continue").click()
    keep("gift-effect")
    give_to_many(page, stack, keep)
    page.goto("/admin/jobs/approval/?state=pending")
    open_first(page)
    keep("approval")
    page.goto("/admin/audit/auditentry/?action=accounts.ban_user")
    open_first(page)
    keep("audit-change")
    context.close()


def give_to_many(page: Page, stack: stacks.Stack, keep: Callable[[str], None]) -> None:
    """From the search to the job: its form, the effect, and half of it done."""
    page.goto("/admin/accounts/customer/?q=example.org&o=-spend")
    page.locator("#action-toggle").check()
    page.locator("select[name=action]").select_option(label="Gift credits")
    keep("many")
    page.get_by_role("button", name="Go").click()
    page.get_by_label("Amount").fill("20")
    page.get_by_label("Reason").fill("Sorry for the outage on Tuesday")
    page.get_by_role("button", name="Continue").click()
    keep("many-effect")
    page.get_by_role("button", name="Gift credits").click()
    page.locator("#job-stands + .badge", has_text="Done").wait_for()
    stack.manage("shell", "--no-imports", "-c", HALF_WAY)
    page.reload()
    keep("job")


def open_first(page: Page) -> None:
    page.locator("#result_list tbody a").first.click()
    page.wait_for_load_state()


def biggest_spender(page: Page) -> str:
    """The address of the customer who comes first when the list is sorted by spend."""
    page.goto("/admin/accounts/customer/?o=-spend")
    return page.evaluate("document.querySelector('#result_list tbody a').href")


if __name__ == "__main__":
    sys.exit(main())
