"""What staff write down about customers, and the tags they sort them by."""

from threading import Event

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from accounts import selectors, services
from accounts.errors import CustomerRetired, NoteRefused, NotYourNote, UnknownCustomer, UnknownNote, UnknownTag
from accounts.models import Customer, CustomerTag, StaffNote, Tag, User
from accounts.selectors import notes as note_selectors
from audit.models import AuditEntry
from tests.factories import CustomerFactory, StaffFactory
from tests.threads import at_once

pytestmark = pytest.mark.django_db

LIST = reverse("admin:accounts_customer_changelist")
WRITER = ["accounts.view_customer", "accounts.view_staffnote", "accounts.add_staffnote", "accounts.tag_customers"]


@pytest.fixture
def staff(client):
    member = StaffFactory(permissions=WRITER)
    client.force_login(member)
    return member


def address(name, *ids):
    return reverse(f"admin:accounts_customer_{name}", args=ids)


def page_of(client, customer):
    return client.get(reverse("admin:accounts_customer_change", args=[customer.pk]))


def tag(name, **more):
    return Tag.objects.create(name=name, **more)


def test_a_note_is_written_shown_changed_and_deleted_by_its_author(client, staff):
    customer = CustomerFactory()
    client.post(address("add_note", customer.pk), {"text": "Prefers <b>mail</b>", "is_pinned": "on"})
    note = StaffNote.objects.get()
    assert (note.user_id, note.author_id, note.text, note.is_pinned) == (
        customer.pk,
        staff.pk,
        "Prefers <b>mail</b>",
        True,
    )
    assert "Prefers &lt;b&gt;mail" in page_of(client, customer).content.decode()
    client.post(address("change_note", customer.pk, note.pk), {"text": "Prefers the phone"})
    note.refresh_from_db()
    assert (note.text, note.is_pinned) == ("Prefers the phone", False)
    client.post(address("delete_note", customer.pk, note.pk))
    assert not StaffNote.objects.exists()


def test_the_log_tells_of_notes_and_not_what_they_say(staff):
    customer = CustomerFactory()
    note = services.add_note(user_id=customer.pk, text="A secret", actor=staff)
    services.change_note(note_id=note.pk, text="Another secret", is_pinned=True, actor=staff)
    services.delete_note(note_id=note.pk, actor=staff)
    entries = list(AuditEntry.objects.filter(resource_id=str(customer.pk)).order_by("pk"))
    assert [entry.action for entry in entries] == [
        "accounts.add_note",
        "accounts.change_note",
        "accounts.delete_note",
    ]
    assert "secret" not in str([(entry.old_values, entry.new_values, entry.reason) for entry in entries])
    assert entries[0].new_values == {"note": note.pk, "text": "(withheld)", "is_pinned": False}


def test_a_note_that_stays_as_it_is_writes_nothing(staff):
    note = services.add_note(user_id=CustomerFactory().pk, text="Same", actor=staff)
    services.change_note(note_id=note.pk, text=" Same ", is_pinned=False, actor=staff)
    assert AuditEntry.objects.count() == 1


def test_pinned_notes_come_first_and_then_the_newest(staff):
    customer = CustomerFactory()
    for text, is_pinned in [("old", False), ("pinned", True), ("new", False)]:
        services.add_note(user_id=customer.pk, text=text, actor=staff, is_pinned=is_pinned)
    assert [note.text for note in selectors.notes_on(user_id=customer.pk)] == ["pinned", "new", "old"]


def test_notes_of_others_are_neither_changed_nor_deleted(client, staff):
    customer = CustomerFactory()
    note = services.add_note(user_id=customer.pk, text="Mine", actor=StaffFactory())
    for name in ("change_note", "delete_note"):
        answer = client.post(address(name, customer.pk, note.pk), {"text": "Stolen"}, follow=True)
        assert "Somebody else wrote this note" in answer.content.decode()
    note.refresh_from_db()
    assert note.text == "Mine"
    boss = StaffFactory(permissions=["accounts.delete_any_note"])
    with pytest.raises(NotYourNote):
        services.change_note(note_id=note.pk, text="x", is_pinned=False, actor=boss)
    services.delete_note(note_id=note.pk, actor=boss)
    with pytest.raises(UnknownNote):
        services.delete_note(note_id=note.pk, actor=boss)


@pytest.mark.parametrize(("text", "words"), [("", "required"), ("a\x00b", "Null characters"), ("x" * 4001, "at most")])
def test_a_note_that_cannot_be_kept_is_refused_in_words(client, staff, text, words):
    customer = CustomerFactory()
    answer = client.post(address("add_note", customer.pk), {"text": text}, follow=True)
    assert words in answer.content.decode()
    assert not StaffNote.objects.exists()


@pytest.mark.parametrize("text", ["", "  ", "a\x00b", "x" * 4001])
def test_the_service_refuses_such_a_note_too(staff, text):
    with pytest.raises(NoteRefused):
        services.add_note(user_id=CustomerFactory().pk, text=text, actor=staff)


def test_nobody_writes_notes_on_staff(staff):
    with pytest.raises(UnknownCustomer):
        services.add_note(user_id=StaffFactory().pk, text="x", actor=staff)
    with pytest.raises(UnknownCustomer):
        services.tag_customer(user_id=StaffFactory().pk, tag_id=tag("VIP").pk, actor=staff)


@pytest.fixture(params=["merged", "anonymised"])
def retired(request):
    customer, boss = CustomerFactory(), StaffFactory()
    if request.param == "merged":
        services.merge_customers(survivor_id=CustomerFactory().pk, merged_id=customer.pk, reason="x", actor=boss)
    else:
        services.anonymise_user(user_id=customer.pk, reason="x", actor=boss)
    return Customer.objects.get(pk=customer.pk)


def test_nothing_is_written_about_who_was_merged_or_anonymised(client, staff, retired):
    vip = tag("VIP")
    with pytest.raises(CustomerRetired):
        services.add_note(user_id=retired.pk, text="Ada Lovelace", actor=staff)
    for act in (services.tag_customer, services.untag_customer):
        with pytest.raises(CustomerRetired):
            act(user_id=retired.pk, tag_id=vip.pk, actor=staff)
    assert address("add_note", retired.pk) not in page_of(client, retired).content.decode()
    answer = client.post(address("add_note", retired.pk), {"text": "Ada Lovelace"}, follow=True)
    assert "merged or anonymised" in answer.content.decode()
    assert not StaffNote.objects.exists() and not CustomerTag.objects.exists()


def test_who_may_not_read_notes_sees_no_panel_and_who_may_not_write_cannot(client):
    customer = CustomerFactory()
    services.add_note(user_id=customer.pk, text="Read me", actor=StaffFactory())
    client.force_login(StaffFactory(permissions=["accounts.view_customer"]))
    assert "Read me" not in page_of(client, customer).content.decode()
    client.force_login(StaffFactory(permissions=["accounts.view_customer", "accounts.view_staffnote"]))
    page = page_of(client, customer).content.decode()
    assert "Read me" in page
    assert address("add_note", customer.pk) not in page
    assert client.post(address("add_note", customer.pk), {"text": "x"}).status_code == 403
    assert client.get(address("add_note", customer.pk)).status_code == 403


def test_a_tag_is_put_on_and_taken_off_once_each(client, staff):
    customer, vip = CustomerFactory(), tag("VIP", colour="ok")
    for _ in range(2):
        client.post(address("add_tag", customer.pk), {"tag": vip.pk})
    assert [shown.name for shown in page_of(client, customer).context["tags"]] == ["VIP"]
    for _ in range(2):
        client.post(address("remove_tag", customer.pk), {"tag": vip.pk})
    assert not CustomerTag.objects.exists()
    entries = AuditEntry.objects.order_by("pk").values_list("action", "old_values", "new_values")
    assert list(entries) == [
        ("accounts.tag_customer", {}, {"tag": "VIP"}),
        ("accounts.untag_customer", {"tag": "VIP"}, {}),
    ]


@pytest.mark.parametrize("value", ["", "0", "x", "999999", "9" * 30, "a\x00"])
def test_a_tag_that_there_is_not_is_refused_in_words(client, staff, value):
    customer = CustomerFactory()
    answer = client.post(address("add_tag", customer.pk), {"tag": value}, follow=True)
    assert answer.context["messages"]
    assert not CustomerTag.objects.exists()


def test_tagging_needs_its_permission(client):
    customer, vip = CustomerFactory(), tag("VIP")
    services.tag_customer(user_id=customer.pk, tag_id=vip.pk, actor=StaffFactory())
    client.force_login(StaffFactory(permissions=["accounts.view_customer"]))
    page = page_of(client, customer).content.decode()
    assert "VIP" in page
    assert address("remove_tag", customer.pk) not in page
    assert client.post(address("remove_tag", customer.pk), {"tag": vip.pk}).status_code == 403


def test_a_tag_that_is_made_from_a_customers_page_goes_on_them_and_leads_back(client):
    rights = ["accounts.view_customer", "accounts.tag_customers", "accounts.view_tag", "accounts.add_tag"]
    client.force_login(StaffFactory(permissions=rights))
    customer = CustomerFactory()
    add = f"{reverse('admin:accounts_tag_add')}?customer={customer.pk}"
    assert f'href="{add}"' in page_of(client, customer).content.decode()
    made = client.post(add, {"name": "VIP", "colour": "info"})
    assert made["Location"] == f"{reverse('admin:accounts_customer_change', args=[customer.pk])}#tags"
    assert [tag.name for tag in selectors.tags_of(user_id=customer.pk)] == ["VIP"]


@pytest.mark.parametrize("named", ["0", "x", "-1", "9" * 30, "STAFF"])
def test_a_tag_that_is_made_for_nobody_is_made_all_the_same(client, named):
    member = StaffFactory(permissions=["accounts.tag_customers", "accounts.view_tag", "accounts.add_tag"])
    client.force_login(member)
    add = f"{reverse('admin:accounts_tag_add')}?customer={named.replace('STAFF', str(member.pk))}"
    assert client.post(add, {"name": "VIP", "colour": "info"})["Location"] == reverse("admin:accounts_tag_changelist")


def test_names_of_tags_are_unique_in_any_case(client):
    client.force_login(StaffFactory(is_superuser=True))
    tag("VIP")
    answer = client.post(reverse("admin:accounts_tag_add"), {"name": " vip ", "colour": "ok"})
    assert "There is a tag of this name" in answer.content.decode()
    with pytest.raises(IntegrityError), transaction.atomic():
        tag("vIp")
    assert Tag.objects.count() == 1


def test_the_catalogue_counts_bearers_and_shows_hostile_names_as_text(client, monkeypatch):
    client.force_login(StaffFactory(is_superuser=True))
    vip = tag("<b>VIP</b>")
    for customer in CustomerFactory.create_batch(3):
        services.tag_customer(user_id=customer.pk, tag_id=vip.pk, actor=StaffFactory())
    page = client.get(reverse("admin:accounts_tag_changelist")).content.decode()
    assert "<b>VIP" not in page
    assert '<td class="field-customers">3</td>' in page
    monkeypatch.setattr(note_selectors, "COUNTED_BEARERS", 2)
    assert note_selectors.tag_list().get().bearers == 2


def test_a_tag_is_deleted_with_its_effect_shown_first(client):
    client.force_login(StaffFactory(is_superuser=True))
    vip = tag("VIP")
    for customer in CustomerFactory.create_batch(2):
        services.tag_customer(user_id=customer.pk, tag_id=vip.pk, actor=StaffFactory())
    remove = reverse("admin:accounts_tag_remove", args=[vip.pk])
    given = {"reason": "Unused", "token": "6f1f7a52-7d0e-4b8f-9b0f-0d7c1a3f9d11"}
    assert "Is this right?" in client.post(remove, given).content.decode()
    assert Tag.objects.exists()
    client.post(remove, given | {"confirm": "yes"})
    assert not Tag.objects.exists() and not CustomerTag.objects.exists()
    entry = AuditEntry.objects.get(action="record.delete")
    assert (entry.old_values["customers"], entry.old_values["name"], entry.reason) == (2, "VIP", "Unused")
    assert client.get(remove).status_code == 404
    assert client.post(reverse("admin:accounts_tag_delete", args=[1])).status_code == 403
    with pytest.raises(UnknownTag):
        services.delete_tag(tag_id=vip.pk, actor=StaffFactory(), reason="x")


def emails(response):
    return [customer.email for customer in response.context["cl"].result_list]


@pytest.mark.parametrize("few", [0, 2000])
def test_the_list_is_narrowed_to_a_tag_however_many_bear_it(client, staff, monkeypatch, few):
    monkeypatch.setattr(note_selectors, "FEW_BEARERS", few)
    vip, press = tag("VIP"), tag("Press")
    first, second, _ = CustomerFactory.create_batch(3)
    services.tag_customer(user_id=first.pk, tag_id=vip.pk, actor=staff)
    services.tag_customer(user_id=second.pk, tag_id=press.pk, actor=staff)
    assert emails(client.get(LIST, {"tag": vip.pk})) == [first.email]
    assert emails(client.get(LIST, {"tag": "987654321"})) == []


@pytest.mark.parametrize("value", ["x", "-1", "1' or 1", "9" * 30, "１"])
def test_a_tag_in_the_address_that_is_none_shows_the_list_with_a_word(client, staff, value):
    tag("VIP")
    assert client.get(LIST, {"tag": value})["Location"].endswith("?e=1")


@pytest.mark.django_db(transaction=True)
def test_a_tag_that_many_put_on_at_once_is_on_once():
    customer, vip, staff = CustomerFactory(), tag("VIP"), StaffFactory()
    answers = at_once([lambda: services.tag_customer(user_id=customer.pk, tag_id=vip.pk, actor=staff)] * 8)
    assert sorted(map(str, answers)) == ["False"] * 7 + ["True"]


@pytest.mark.django_db(transaction=True)
def test_a_tag_that_is_deleted_while_it_is_put_on_leaves_nothing_behind():
    staff = StaffFactory()
    for _ in range(5):
        customer, vip = CustomerFactory(), tag("VIP")
        answers = at_once(
            [
                lambda c=customer, t=vip: services.tag_customer(user_id=c.pk, tag_id=t.pk, actor=staff),
                lambda t=vip: services.delete_tag(tag_id=t.pk, actor=staff, reason="x"),
            ]
        )
        assert answers[1] in (0, 1), answers
        assert answers[0] is True or isinstance(answers[0], UnknownTag), answers
        assert not CustomerTag.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_note_that_is_written_while_its_customer_is_forgotten_is_not_kept(monkeypatch):
    staff, customer = StaffFactory(), CustomerFactory()
    is_written, is_forgotten = Event(), Event()
    record = services.notes.record

    def lingering(**entry):
        is_written.set()
        # Time enough for the other one, if nothing kept it from going on.
        is_forgotten.wait(timeout=1)
        return record(**entry)

    def forget():
        is_written.wait(timeout=30)
        try:
            return services.anonymise_user(user_id=customer.pk, reason="x", actor=staff)
        finally:
            is_forgotten.set()

    monkeypatch.setattr("accounts.services.notes.record", lingering)
    written, forgotten = at_once(
        [lambda: services.add_note(user_id=customer.pk, text="Ada Lovelace", actor=staff), forget]
    )
    assert (type(written), forgotten.emptied["notes"]) == (StaffNote, 1), (written, forgotten)
    assert not StaffNote.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_tag_that_is_put_on_while_another_brings_it_along_is_on_once():
    staff, vip = StaffFactory(), tag("VIP")
    for _ in range(5):
        survivor, merged = CustomerFactory.create_batch(2)
        services.tag_customer(user_id=merged.pk, tag_id=vip.pk, actor=staff)
        tagged, result = at_once(
            [
                lambda s=survivor: services.tag_customer(user_id=s.pk, tag_id=vip.pk, actor=staff),
                lambda s=survivor, m=merged: services.merge_customers(
                    survivor_id=s.pk, merged_id=m.pk, reason="x", actor=staff
                ),
            ]
        )
        assert (tagged in (True, False), result.replayed) == (True, False), (tagged, result)
        assert list(CustomerTag.objects.filter(tag=vip).values_list("user_id", flat=True))[-1:] == [survivor.pk]
        assert not CustomerTag.objects.filter(user_id=merged.pk).exists()


def test_the_profile_leads_to_stripe_only_by_an_id_of_stripes(client, staff):
    good, odd = CustomerFactory(stripe_customer_id="cus_A1"), CustomerFactory(stripe_customer_id="cus_/../x")
    assert "https://dashboard.stripe.com/test/customers/cus_A1" in page_of(client, good).content.decode()
    assert "dashboard.stripe.com" not in page_of(client, odd).content.decode()


def test_the_referral_code_can_be_copied(client, staff):
    customer = CustomerFactory()
    assert f'data-copy="{customer.referral_code}"' in page_of(client, customer).content.decode()


AVATARS = {
    "https://media.example.com/a.png": True,
    "https://img.cdn.example.com/a.webp?size=1": True,
    "https://cdn.example.com/a.png": False,
    "http://media.example.com/a.png": False,
    "https://evil.example.net/a.png": False,
    "https://media.example.com.evil.net/a.png": False,
    "https://media.example.com@evil.net/a.png": False,
    "javascript:alert(1)": False,
    "data:image/svg+xml,<svg onload=alert(1)>": False,
    "https://[": False,
    "": False,
}


@pytest.mark.parametrize("url", AVATARS)
def test_only_pictures_of_our_media_hosts_are_shown(client, staff, settings, url):
    settings.MEDIA_HOSTS = ["https://media.example.com", "*.cdn.example.com"]
    customer = CustomerFactory()
    User.objects.filter(pk=customer.pk).update(avatar=url)
    for page in (page_of(client, customer), client.get(LIST)):
        content = page.content.decode()
        assert ('loading="lazy"' in content) == AVATARS[url]
        assert "<svg onload" not in content


def test_a_profile_keeps_its_avatar_out_of_the_log(client):
    client.force_login(StaffFactory(permissions=["accounts.view_customer", "accounts.change_customer"]))
    customer = CustomerFactory()
    values = {"email": customer.email, "full_name": customer.full_name, "avatar": "https://media.example.com/a.png"}
    client.post(reverse("admin:accounts_customer_change", args=[customer.pk]), values | {"country": ""})
    assert Customer.objects.get().avatar == "https://media.example.com/a.png"
    assert AuditEntry.objects.get().new_values == {"avatar": "(withheld)"}
