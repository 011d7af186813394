from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts import selectors, services


class Command(BaseCommand):
    help = (
        "Prove the figures that lists of customers sort by: what was spent, what was generated, when they were last "
        "active. Prints each wrong one with what it should be and exits with 1. Balances, and what is copied from the "
        "person, verify_ledger proves."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        proof = services.verify_figures(source="command", report=self._print)
        if proof.faults:
            raise CommandError(f"{proof.faults} wrong figures of {proof.customers} customers")
        self.stdout.write(f"ok: {proof.customers} customers, {len(selectors.rules_of_figures())} rules")

    def _print(self, wrong: selectors.WrongFigure) -> None:
        self.stderr.write(f"customer {wrong.customer_id}: {wrong.rule}; {wrong.detail}")
