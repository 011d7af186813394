"""What a role may do, as checkboxes in areas; scripts add a search and tell what a save would change."""

from collections.abc import Collection
from typing import Any

from django import forms
from django.contrib.auth.models import Permission
from django.forms.widgets import Script
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from accounts import permission_names
from accounts.models import Role


class PermissionChoices(forms.CheckboxSelectMultiple):
    """Checkboxes of the permissions that open something, and of those that the role has anyhow."""

    class Media:
        js = (Script("js/roles.js", type="module"),)

    held: Collection[int] = ()
    use_fieldset = True

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        chosen = {str(pk) for pk in value or ()}
        context = {
            "name": name,
            "areas": permission_names.areas(self.held),
            "chosen": chosen,
            "held": {str(pk) for pk in self.held},
        }
        return render_to_string("accounts/role_permissions.html", context)


class RoleForm(forms.ModelForm):
    permissions = forms.ModelMultipleChoiceField(
        Permission.objects.select_related("content_type"), required=False, widget=PermissionChoices, label="May"
    )

    class Meta:
        model = Role
        fields = ("name", "permissions")
        help_texts = {"name": "As people call what somebody in it does, such as Support."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["permissions"].widget.held = list(self.instance.permissions.values_list("pk", flat=True))
