"""The catalogue of tags."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse

from accounts import selectors, services
from accounts.admin.status import page_of
from accounts.catalogues import TagResource
from accounts.errors import AccountError
from accounts.models import Customer, Tag
from accounts.selectors.notes import COUNTED_BEARERS
from accounts.selectors.people import is_id
from audit.exportlists import ExportMixin
from audit.importlists import ImportMixin
from audit.modeladmin import AuditedModelAdmin
from backoffice.lib.admin import display
from backoffice.lib.admin.confirm import Caution, Change, ConfirmFormView, tell


class TagForm(forms.ModelForm):
    class Meta:
        model = Tag
        fields = ("name", "colour")

    def clean_name(self) -> str:
        return Tag.tidy(self.cleaned_data["name"])


class DeleteForm(forms.Form):
    reason = forms.CharField(
        max_length=500, widget=forms.Textarea(attrs={"rows": 3}), help_text="Kept in the audit log."
    )


class DeleteTagView(ConfirmFormView):
    permission_required = "accounts.delete_tag"
    form_class = DeleteForm
    title = submit_label = "Delete tag"
    is_dangerous = True
    navigation_key = "tags"
    domain_errors = (AccountError,)
    help_text = "The tag goes from the catalogue and off every customer. This cannot be undone."

    def get_subject(self, request: HttpRequest, **kwargs: Any) -> Tag:
        tag = selectors.tag_list().filter(pk=kwargs["tag_id"]).first()
        if tag is None:
            raise Http404("There is no such tag.")
        return tag

    def effect(self, subject: Tag, cleaned_data: dict[str, Any]) -> Sequence[Change]:
        return [Change("Customers with the tag", bearers(subject), "0")]

    def perform(self, request: HttpRequest, subject: Tag, cleaned_data: dict[str, Any], token: str) -> str:
        count = services.delete_tag(tag_id=subject.pk, actor=request.user, reason=cleaned_data["reason"])
        return f"{subject.name} is deleted and taken off {count:,} customers."

    def success_url(self, subject: Tag) -> str:
        return reverse("admin:accounts_tag_changelist")


def bearers(tag: Any) -> str:
    """On how many customers the tag is; ``1,000+`` is exact enough."""
    return f"{COUNTED_BEARERS - 1:,}+" if tag.bearers >= COUNTED_BEARERS else f"{tag.bearers:,}"


@admin.register(Tag)
class TagAdmin(ImportMixin, ExportMixin, AuditedModelAdmin):
    form = TagForm
    catalogue = TagResource
    list_display = ("name", "looks", "customers", "made")
    search_fields = ("name",)
    search_help_text = "Name"
    ordering = ("name",)
    sortable_by = ("name",)
    empty_hint = "A tag marks customers, such as VIP or Press. Add one, then put it on customers on their pages."

    def has_delete_permission(self, request: HttpRequest, obj: Tag | None = None) -> bool:
        return False  # The stock page would list every customer who bears it: see DeleteTagView.

    def get_urls(self) -> list[URLPattern]:
        remove = self.admin_site.admin_view(DeleteTagView.as_view())
        return [path("<int:tag_id>/remove/", remove, name="accounts_tag_remove"), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tag]:
        return selectors.tag_list()

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        tag = self.get_object(request, object_id)
        may_delete = tag and request.user.has_perm(DeleteTagView.permission_required)
        extra = {"remove_url": reverse("admin:accounts_tag_remove", args=[tag.pk]) if may_delete else ""}
        return super().change_view(request, object_id, form_url, {**extra, **(extra_context or {})})

    def response_add(self, request: HttpRequest, obj: Tag, post_url_continue: str | None = None) -> HttpResponse:
        """A tag that was made on the way from a customer's page goes onto that customer, and leads back there."""
        customer = self._made_for(request)
        if customer is None:
            return super().response_add(request, obj, post_url_continue)
        try:
            services.tag_customer(user_id=customer.pk, tag_id=obj.pk, actor=request.user)
        except AccountError as error:
            tell(request, Caution(str(error)))
        return redirect(f"{page_of(customer.pk)}#tags")

    def _made_for(self, request: HttpRequest) -> Customer | None:
        named = request.GET.get("customer", "")
        if not (is_id(named) and request.user.has_perm("accounts.tag_customers")):
            return None
        return Customer.objects.filter(pk=int(named)).first()

    @admin.display(description="Looks like")
    def looks(self, tag: Tag) -> str:
        return display.badge(tag.name, tag.colour)  # type: ignore[arg-type]

    @admin.display(description="Customers")
    def customers(self, tag: Tag) -> str:
        return bearers(tag)

    @admin.display(description="Made", ordering="created_at")
    def made(self, tag: Tag) -> str:
        return display.moment(tag.created_at)
