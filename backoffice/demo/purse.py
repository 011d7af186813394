"""What a customer of the story has left, so that the story hardly ever spends what is not there."""

from datetime import datetime
from decimal import Decimal


class Purse:
    """Credits and when they lapse; those that lapse first are spent first, as in the ledger."""

    def __init__(self) -> None:
        self._lots: list[tuple[datetime | None, Decimal]] = []

    def add(self, credits: Decimal, expires_at: datetime | None = None) -> None:
        self._lots.append((expires_at, credits))
        self._lots.sort(key=lambda lot: (lot[0] is None, lot[0] or 0))

    def has(self, at: datetime) -> Decimal:
        """Credits that can be spent at ``at``; what has lapsed by then is gone for good."""
        self._lots = [lot for lot in self._lots if lot[1] and (lot[0] is None or lot[0] > at)]
        return sum((left for _, left in self._lots), Decimal(0))

    def take(self, credits: Decimal, at: datetime) -> bool:
        """Spend ``credits`` if there are so many."""
        if self.has(at) < credits:
            return False
        for number, (expires_at, left) in enumerate(self._lots):
            part = min(left, credits)
            self._lots[number] = (expires_at, left - part)
            credits -= part
        return True
