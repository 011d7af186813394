"""The addresses of what staff do to one customer."""

from django.contrib.admin import AdminSite
from django.urls import URLPattern, path
from django.views import View

from accounts.admin import lives, notes, resets, status

VIEWS: dict[str, tuple[type[View], str]] = {
    "<int:user_id>/ban/": (status.BanView, "ban"),
    "<int:user_id>/unban/": (status.UnbanView, "unban"),
    "<int:user_id>/suspend/": (status.SuspendView, "suspend"),
    "<int:user_id>/reinstate/": (status.ReinstateView, "reinstate"),
    "<int:user_id>/merge/": (lives.MergeView, "merge"),
    "<int:user_id>/anonymise/": (lives.AnonymiseView, "anonymise"),
    "<int:user_id>/reset-password/": (resets.ResetPasswordView, "reset_password"),
    "status/<int:change_id>/undo/": (status.UndoStatusView, "undo_status"),
    "<int:user_id>/notes/add/": (notes.AddNoteView, "add_note"),
    "<int:user_id>/notes/<int:note_id>/change/": (notes.ChangeNoteView, "change_note"),
    "<int:user_id>/notes/<int:note_id>/delete/": (notes.DeleteNoteView, "delete_note"),
    "<int:user_id>/tags/add/": (notes.AddTagView, "add_tag"),
    "<int:user_id>/tags/remove/": (notes.RemoveTagView, "remove_tag"),
}


def urls(site: AdminSite) -> list[URLPattern]:
    """All of them, behind the login, under ``accounts_customer_<name>``."""
    return [
        path(route, site.admin_view(view.as_view()), name=f"accounts_customer_{name}")
        for route, (view, name) in VIEWS.items()
    ]
