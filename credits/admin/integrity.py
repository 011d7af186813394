"""The proof of the ledger as staff read it, and the button that asks for a new one."""

from django.contrib import admin
from django.urls import reverse

from backoffice.lib.admin import display
from backoffice.lib.admin.proofs import ProofAdmin, findings_table
from credits import tasks
from credits.models import IntegrityRun


@admin.register(IntegrityRun)
class IntegrityRunAdmin(ProofAdmin):
    list_display = ("when", "outcome", "faults_shown", "accounts_shown", "took", "source")
    fields = ("when", "outcome", "faults_shown", "accounts_shown", "took", "source", "found")
    empty_hint = "Each night the whole ledger is proved, account by account. Press Check now for the first run."
    check_permission = "credits.verify_ledger"
    check_task = tasks.verify_ledger_for
    asked_message = "A worker checks the ledger now. A large one takes minutes: the run appears here once it has ended."

    def is_sound(self, run: IntegrityRun) -> bool:
        return not run.faults

    @admin.display(description="Broken rows")
    def faults_shown(self, run: IntegrityRun) -> str:
        return display.number(run.faults)

    @admin.display(description="Accounts")
    def accounts_shown(self, run: IntegrityRun) -> str:
        return display.number(run.accounts)

    @admin.display(description="What was found")
    def found(self, run: IntegrityRun) -> str:
        rows = ((row["rule"], row["detail"], _account(row["account"]), row["row"]) for row in run.findings)
        return findings_table(["Rule", "Account", "Row"], rows, run.faults) or "Every rule holds for every account."


def _account(user_id: int) -> str:
    return display.link(reverse("admin:accounts_customer_change", args=[user_id]), user_id)
