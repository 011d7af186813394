"""Postings and holds of the story, put into the ledger together: one batch costs about as much as one posting."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from backoffice.lib import clock
from credits.acts import PlaceHold
from credits.errors import InsufficientCredits
from credits.postings import Posting, Rejection
from credits.services import post_batch

DAY = timedelta(days=1)
# How old the story is and how long a batch lasts then: the days that people look at are told closely.
PACE = ((2 * DAY, timedelta(hours=1)), (14 * DAY, timedelta(hours=6)))


class Spending:
    """Gathers postings in the order of their time and posts them, each batch at the moment of its last."""

    def __init__(self, end: datetime) -> None:
        self.rejected = 0
        self._end = end
        self._waiting: list[tuple[datetime, Posting | PlaceHold]] = []
        self._users: set[int] = set()

    def add(self, at: datetime, posting: Posting | PlaceHold) -> None:
        if self._waiting and self._batch(at) != self._batch(self._waiting[-1][0]):
            self.flush()
        self._waiting.append((at, posting))
        self._users.add(posting.user_id)

    def settle(self, user_id: int) -> None:
        """Post what waits for this customer, whose account something else is about to move; others go on waiting."""
        if user_id in self._users:
            self._post([each for each in self._waiting if each[1].user_id == user_id])
            self._waiting = [each for each in self._waiting if each[1].user_id != user_id]
            self._users.remove(user_id)

    def flush(self) -> None:
        """Post all that waits. Raises the CreditError of a posting that is refused for another reason than its size."""
        self._post(self._waiting)
        self._waiting, self._users = [], set()

    def _post(self, waiting: Sequence[tuple[datetime, Posting | PlaceHold]]) -> None:
        if not waiting:
            return
        with clock.at(waiting[-1][0]):
            outcomes = post_batch([posting for _, posting in waiting])
        for outcome in outcomes:
            if isinstance(outcome, Rejection):
                self._reject(outcome)

    def _reject(self, rejection: Rejection) -> None:
        if not isinstance(rejection.error, InsufficientCredits):
            raise rejection.error
        self.rejected += 1

    def _batch(self, at: datetime) -> tuple[timedelta, int]:
        age = self._end - at
        length = next((length for oldest, length in PACE if age <= oldest), DAY)
        return length, age // length
