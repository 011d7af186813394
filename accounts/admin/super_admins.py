"""What only super admins change: who works here and what roles may do, or anybody could promote themselves."""

from typing import Any

from django.http import HttpRequest


class SuperAdminOnly:
    """Changes need a super admin; reading needs the ordinary permission."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser
