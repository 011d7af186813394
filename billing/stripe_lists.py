"""Reading Stripe's lists, page by page, with the patience that its limits ask for."""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import stripe

from backoffice.lib import clock
from billing import stripe_api
from billing.errors import StripeCallFailed

MOST_TRIES = 8
LONGEST_WAIT_SECONDS = 120
TOO_MANY = 429


class StripeUnavailable(StripeCallFailed):
    """Stripe cannot be reached or lets nobody in now: whatever else is asked would fail too."""


class PlaceLost(StripeCallFailed):
    """The object after which a list was to go on is not in it any more."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """Some objects of a list. ``at`` is no later than the moment, by Stripe's clock, at which they stood so."""

    objects: Sequence[Any]
    at: datetime
    api_version: str
    has_more: bool


def _silent(message: str) -> None:
    """For whom nobody waits."""


@dataclass(kw_only=True)
class Reader:
    """Asks Stripe. ``say`` is told why it takes long, and ``sleep`` waits (seconds)."""

    say: Callable[[str], None] = _silent
    sleep: Callable[[float], None] = time.sleep
    tries: int = MOST_TRIES
    _client: stripe.StripeClient = field(default_factory=stripe_api.client)

    def pages(self, path: str, parameters: Mapping[str, Any], *, after: str = "") -> Iterator[Page]:
        """The pages of a list, or of what follows the object ``after`` in it. Raises StripeCallFailed."""
        while True:
            page = self._page(path, {**parameters, **({"starting_after": after} if after else {})})
            yield page
            following = last_id(page.objects)
            if not page.has_more or not following or following == after:
                return
            after = following

    def one(self, path: str, parameters: Mapping[str, Any] | None = None) -> Page:
        """A single object, as a page of its own. Raises StripeCallFailed."""
        answer, at = self._patiently(path, parameters or {})
        return Page(objects=[answer.data], at=at, api_version=_version(answer), has_more=False)

    def _page(self, path: str, parameters: Mapping[str, Any]) -> Page:
        answer, at = self._patiently(path, parameters)
        listed = answer.data.get("data") if isinstance(answer.data, dict) else None
        if not isinstance(listed, list):
            raise StripeCallFailed(f"Stripe answered to {path} with something that is no list.")
        return Page(objects=listed, at=at, api_version=_version(answer), has_more=answer.data.get("has_more") is True)

    def _patiently(self, path: str, parameters: Mapping[str, Any]) -> tuple[Any, datetime]:
        tries = 0
        while True:
            tries, began = tries + 1, time.monotonic()
            try:
                answer = self._client.raw_request("get", path, **parameters)
            except stripe.StripeError as error:
                self._bear(error, path, tries)
            else:
                return answer, _moment(answer, time.monotonic() - began)

    def _bear(self, error: stripe.StripeError, path: str, tries: int) -> None:
        """Wait before the next try, or raise what makes it useless."""
        if isinstance(error, stripe.AuthenticationError):
            raise StripeUnavailable(f"Stripe does not know STRIPE_SECRET_KEY: {error}") from error
        if isinstance(error, stripe.InvalidRequestError) and error.param == "starting_after":
            raise PlaceLost(str(error)) from error
        is_unheard = isinstance(error, stripe.APIConnectionError)
        if not is_unheard and error.http_status != TOO_MANY and (error.http_status or 500) < 500:
            raise StripeCallFailed(f"Stripe refuses to list {path}: {error}") from error
        if tries >= self.tries:
            told = f"Stripe {_complaint(error)} and was asked in vain (tries: {tries}). Try again later."
            raise StripeUnavailable(told) from error
        seconds = _wait(error, tries)
        self.say(f"Stripe {_complaint(error)}. Going on in {seconds:g} s.")
        self.sleep(seconds)


def last_id(objects: Sequence[Any]) -> str:
    """The id after which a list goes on; empty if none of these has one."""
    ids = (found.get("id") for found in reversed(objects) if isinstance(found, dict))
    return next((found for found in ids if isinstance(found, str)), "")


def _complaint(error: stripe.StripeError) -> str:
    if error.http_status == TOO_MANY:
        return "is asked too often"
    return "cannot be reached" if isinstance(error, stripe.APIConnectionError) else "has trouble of its own"


def _wait(error: stripe.StripeError, tries: int) -> float:
    """As long as Stripe says, else twice as long each time."""
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    try:
        told = float(headers.get("retry-after", ""))
    except ValueError:
        told = math.nan
    seconds = told if math.isfinite(told) and told >= 0 else float(2 ** (tries - 1))
    return min(seconds, LONGEST_WAIT_SECONDS)


def _moment(answer: Any, seconds: float) -> datetime:
    # By Stripe's clock, since events are told by it: with a fast clock of ours, what was read would pass for newer than
    # an event that came after it. And when the question was put, as the answer may have been found then.
    answered = clock.now()
    with suppress(ValueError):
        answered = parsedate_to_datetime(answer.headers.get("date", ""))
    return answered - timedelta(seconds=int(seconds))


def _version(answer: Any) -> str:
    return str(answer.headers.get("stripe-version") or stripe.api_version or "")
