"""What apps do when a customer ends as one: is merged into another, or is to be forgotten.

The app `accounts` calls them in one transaction, in their order, with all persons locked.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from backoffice.lib.registry import Registry


def _none(*ids: Any) -> Sequence[Any]:
    return ()


@dataclass(frozen=True, kw_only=True)
class MergeStep:
    """One app's part of a merge.

    ``obstacles(survivor_id, merged_id)`` says in words why it cannot be done now; ``effect``, given the same, what it
    would change, as lines of a confirm form. ``move(survivor_id=, merged_id=, actor_id=, key=)`` does it, and returns
    what the audit log tells of it; ``key`` is of this one merge.
    """

    key: str
    move: Callable[..., Mapping[str, Any]]
    obstacles: Callable[[int, int], Sequence[str]] = _none
    effect: Callable[[int, int], Sequence[Any]] = _none
    order: int = 100


@dataclass(frozen=True, kw_only=True)
class Known:
    """By what somebody who is to be forgotten was known."""

    email: str
    external_id: str | None
    stripe_customer_id: str | None


@dataclass(frozen=True, kw_only=True)
class Anonymiser:
    """One app's part of forgetting somebody.

    ``forget(user_ids, known)`` empties all that is personal of a customer and of those who were merged into them, and
    returns how many rows of what it emptied. ``obstacles(user_ids)`` says in words why it cannot be done now,
    ``effect(user_ids)`` what is lost beside, as lines of a confirm form.
    ``erased`` names the fields that it empties, by ``app.Model``; ``kept`` those of text that stay, each with why: a
    test asks for every field of every model in one of the two.
    """

    key: str
    forget: Callable[[Sequence[int], Known], Mapping[str, int]]
    obstacles: Callable[[Sequence[int]], Sequence[str]] = _none
    effect: Callable[[Sequence[int]], Sequence[Any]] = _none
    erased: Mapping[str, Sequence[str]] = field(default_factory=dict)
    kept: Mapping[str, str] = field(default_factory=dict)
    order: int = 100


merge_steps: Registry[MergeStep] = Registry("merge steps")
anonymisers: Registry[Anonymiser] = Registry("anonymisers")
