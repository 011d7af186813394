"""Who may log in at all, and whether the door is shut."""

from typing import Any

from axes.backends import AxesStandaloneBackend
from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest


class LockoutBackend(AxesStandaloneBackend):
    """Turns strangers away who tried too often. Code of ours that asks without a request is no stranger."""

    def authenticate(self, request: HttpRequest | None, *args: Any, **credentials: Any) -> None:
        if request is not None:
            super().authenticate(request, *args, **credentials)


class StaffBackend(ModelBackend):
    """Passwords of active members of staff. Asked again at each request, so that a ban or a demotion holds at once."""

    def user_can_authenticate(self, user: Any) -> bool:
        return bool(user is not None and user.is_staff) and super().user_can_authenticate(user)
