"""The proof of customers' figures as staff read it, and the button that asks for a new one."""

from django.contrib import admin
from django.urls import reverse

from accounts import tasks
from accounts.models import FiguresProof
from backoffice.lib.admin import display
from backoffice.lib.admin.proofs import ProofAdmin, findings_table


@admin.register(FiguresProof)
class FiguresProofAdmin(ProofAdmin):
    list_display = ("when", "outcome", "faults_shown", "customers_shown", "took", "source")
    fields = ("when", "outcome", "faults_shown", "customers_shown", "took", "source", "found")
    empty_hint = (
        "Each night what was spent, what was generated and when people were last active is counted anew and compared. "
        "Press Check now for the first run."
    )
    check_permission = "accounts.verify_figures"
    check_task = tasks.verify_figures_for
    asked_message = (
        "A worker checks all customers' figures now. For many it takes a minute: the run appears here once it has "
        "ended."
    )

    def is_sound(self, proof: FiguresProof) -> bool:
        return not proof.faults

    @admin.display(description="Wrong figures")
    def faults_shown(self, proof: FiguresProof) -> str:
        return display.number(proof.faults)

    @admin.display(description="Customers")
    def customers_shown(self, proof: FiguresProof) -> str:
        return display.number(proof.customers)

    @admin.display(description="What was found")
    def found(self, proof: FiguresProof) -> str:
        rows = ((row["rule"], row["detail"], _customer(row["customer"])) for row in proof.findings)
        return findings_table(["Rule", "Customer"], rows, proof.faults) or "Every figure is what it should be."


def _customer(user_id: int) -> str:
    return display.link(reverse("admin:accounts_customer_change", args=[user_id]), user_id)
