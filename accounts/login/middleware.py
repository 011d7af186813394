"""Puts the member of staff whom the session lets in on the request."""

from asgiref.sync import sync_to_async
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.login import gate


class StaffAuthenticationMiddleware(AuthenticationMiddleware):
    """Django's, but ``request.user`` is somebody only when the gate lets them in. Read when it is asked for."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        request.user = SimpleLazyObject(lambda: gate.admitted(request))  # type: ignore[assignment]
        request.auser = sync_to_async(lambda: gate.admitted(request))  # type: ignore[assignment,method-assign]
