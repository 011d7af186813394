"""Small catalogues from a file: shown first, then done whole, by whom it was shown to, as it was shown."""

import html

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.urls import reverse

from accounts.catalogues import TagResource
from accounts.models import Tag
from audit import importlists, services
from audit.errors import NotAsShown
from audit.models import AuditEntry
from backoffice.lib.catalogues import files
from billing.catalogues import PackResource
from billing.models import CreditPack
from tests.factories import StaffFactory
from tests.threads import at_once

pytestmark = pytest.mark.django_db

PACKS, TAGS = reverse("admin:billing_creditpack_import"), reverse("admin:accounts_tag_import")
HEAD = "id,name,credits,price,currency,stripe_price_id,is_active,position\n"
MAY_KEEP = [
    *(f"billing.{verb}_creditpack" for verb in ("view", "add", "change")),
    *(f"accounts.{verb}_tag" for verb in ("view", "add", "change")),
]


@pytest.fixture
def keeper(client):
    member = StaffFactory(permissions=[*MAY_KEEP, "billing.export_creditpacks", "accounts.export_tags"])
    client.force_login(member)
    return member


@pytest.fixture
def small():
    return CreditPack.objects.create(
        name="Small", credits=100, price_minor=1000, currency="USD", stripe_price_id="price_1"
    )


def upload(content, name="packs.csv"):
    return SimpleUploadedFile(name, content if isinstance(content, bytes) else content.encode())


def show(client, content, *, page=PACKS, name="packs.csv", reason="Autumn prices"):
    return client.post(page, {"file": upload(content, name), "reason": reason})


def confirm(client, shown, page=PACKS):
    return client.post(page, {"preview": shown.context["preview"]})


def text_of(response):
    return html.unescape(response.content.decode())


def pack_row(pack, **more):
    told = {
        "id": pack.pk,
        "name": pack.name,
        "credits": 100,
        "price": "10.00",
        "currency": "USD",
        "stripe_price_id": pack.stripe_price_id,
        "is_active": "true",
        "position": 0,
    } | more
    return ",".join(map(str, told.values())) + "\n"


def all_packs():
    return list(CreditPack.objects.order_by("pk").values())


def test_what_a_file_would_do_is_shown_and_nothing_is_done(client, keeper, small):
    before = all_packs()
    shown = show(client, HEAD + pack_row(small, price="12.50") + ",Large,500,40,EUR,,false,2\n")
    assert [(line.does, line.name) for line in shown.context["outcome"].lines] == [
        ("update", "Small"),
        ("new", "Large"),
    ]
    changed, new = (line.changes for line in shown.context["outcome"].lines)
    assert changed == {"price": ("10.00", "12.50")}
    assert new["price"] == ("", "40.00") and "id" not in new
    assert "12.50" in text_of(shown)
    assert all_packs() == before
    assert not AuditEntry.objects.exists()


def test_what_was_shown_is_done_with_an_audit_entry_for_each_change(client, keeper, small):
    untouched = CreditPack.objects.create(name="Fair", credits=10, price_minor=0, currency="JPY")
    told = HEAD + pack_row(small, price="12.5", position=3) + ",Large,500,40,EUR,price_2,false,2\n"
    told += f"{untouched.pk},Fair,10,0,JPY,,true,0\n"
    answer = confirm(client, show(client, told))
    assert answer["Location"] == reverse("admin:billing_creditpack_changelist")
    assert "1 added, 1 changed" in text_of(client.get(answer["Location"]))
    small.refresh_from_db()
    large = CreditPack.objects.get(name="Large")
    assert (small.price_minor, small.position) == (1250, 3)
    assert (large.credits, large.price_minor, large.currency, large.is_active) == (500, 4000, "EUR", False)
    changed, added = AuditEntry.objects.order_by("pk")
    assert (changed.action, changed.resource_id) == ("record.change", str(small.pk))
    assert (added.action, added.resource_id) == ("record.add", str(large.pk))
    assert {entry.actor_id for entry in (changed, added)} == {keeper.pk}
    assert {entry.reason for entry in (changed, added)} == {"Autumn prices"}
    assert (changed.old_values, changed.new_values) == (
        {"price": "10.00", "position": "0"},
        {"price": "12.50", "position": "3"},
    )


@pytest.mark.parametrize("format_", ["csv", "json"])
def test_an_exported_catalogue_says_nothing_new(client, keeper, format_):
    for number, name in enumerate(["=1+1", '-"quoted", and more', "@x", "Ünï; code", "'tis"]):
        CreditPack.objects.create(
            name=name, credits="0.1250", price_minor=7 + number, currency="KWD", stripe_price_id=None, position=number
        )
        Tag.objects.create(name=name, colour="warn")
    for page, export in (
        (PACKS, reverse("admin:billing_creditpack_export", args=["packs"])),
        (TAGS, reverse("admin:accounts_tag_export", args=["tags"])),
    ):
        file = b"".join(client.post(export, {"format": format_}).streaming_content)
        if format_ == "csv":
            assert b"\n=" not in file and b",=" not in file and b"'=1+1" in file
        shown = show(client, file, page=page, name=f"x.{format_}")
        assert [line.does for line in shown.context["outcome"].lines] == ["skip"] * 5, text_of(shown)
        assert "nothing to import" in text_of(shown) and 'name="preview"' not in text_of(shown)


def test_a_tag_is_known_by_its_name_in_any_case(client, keeper):
    Tag.objects.create(name="vip", colour="mute")
    shown = show(client, "colour;name\nok;VIP\nwarn;  Press   people \n", page=TAGS)
    assert confirm(client, shown, TAGS).status_code == 302
    assert list(Tag.objects.order_by("name").values_list("name", "colour")) == [("Press people", "warn"), ("VIP", "ok")]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (",,100,10,USD,,true,0", "name: This field cannot be blank"),
        (f",{'x' * 121},100,10,USD,,true,0", "at most 120 characters"),
        (",L,1e3,10,USD,,true,0", "credits: Write it in at most 18 plain digits"),
        (",L,NaN,10,USD,,true,0", "credits: Write it"),
        (",L,１０,10,USD,,true,0", "credits: Write it"),
        (",L,0,10,USD,,true,0", "The credits must be more than 0"),
        (",L,99999999999,10,USD,,true,0", "The credits must be more than 0 and at most 1,000,000,000."),
        (",L,1.12345,10,USD,,true,0", "credits: Ensure that there are no more than 4 decimal places"),
        (",L,1,-10,USD,,true,0", "price: Write it"),
        (",L,1,10.005,USD,,true,0", "price: A price in USD has at most 2 decimals"),
        (",L,1,999999999999999999,USD,,true,0", "price: "),
        (",L,1,10,usd,,true,0", "currency: The currency is a code of three capital letters"),
        (",L,1,10,XXY,,true,0", "currency: "),
        (",L,1,10,USD,,maybe,0", "is_active: Write true or false"),
        (",L,1,10,USD,,,0", "is_active: Write true or false"),
        (",L,1,10,USD,,true,", "position: Write a whole number"),
        (",L,1,10,USD,,true,40000", "position: Ensure this value is less than"),
        (",L,1,10,USD,price_1,true,0", "with this Stripe price already exists"),
        ("77,L,1,10,USD,,true,0", "id: there is none with the id 77"),
        ("x,L,1,10,USD,,true,0", "id: there is none with the id x"),
        ("999999999999999999,L,1,10,USD,,true,0", "id: there is none"),
        (",L,1,10,USD,p,true,0\n,M,1,10,USD,p,true,0", "with this Stripe price already exists"),
        (",L,1,10,USD", "The row has 5 values, and there are 8 columns"),
        (',L"x"y,1,10,USD,,true,0\n,"M"x,1,10,USD,,true,0', "A quotation mark stands where it cannot"),
        (",L\0,1,10,USD,,true,0", "name: there is a NUL character in it"),
    ],
)
def test_a_row_that_is_wrong_is_told_and_the_others_are_not_imported(client, keeper, small, row, words):
    before = all_packs()
    shown = show(client, HEAD + ",Good,1,1,USD,,true,0\n" + row + "\n")
    assert shown.status_code == 200
    assert words in text_of(shown), [line.faults for line in shown.context["outcome"].lines]
    assert shown.context["outcome"].lines[0].does == "new"
    assert shown.context["outcome"].lines[-1].does == "error"
    assert 'name="preview"' not in text_of(shown)
    # Nor does it help to send what no button would.
    assert confirm(client, shown).status_code == 200
    assert all_packs() == before
    assert not AuditEntry.objects.exists()


def test_no_record_stands_twice_in_a_file(client, keeper, small):
    shown = show(client, HEAD + pack_row(small, name="A") + pack_row(small, id=f"0{small.pk}", name="B"))
    assert "stands twice in the file" in text_of(shown)
    for told in ("name,colour\nx,ok\nX,bad\n", "name,colour\nx y,ok\nx  y,bad\n"):
        assert "stands twice in the file" in text_of(show(client, told, page=TAGS))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("x.csv", b"", "empty"),
        ("x.csv", b"\n\n", "The file is empty."),
        ("x.csv", b"name,colour\n", "There are no rows in the file"),
        ("x.csv", b"name,colour\nVIP,ok\n\xff\xfe,ok\n", "This is not UTF-8"),
        ("x.csv", b'name,colour\n"VIP,ok\n', "is never closed"),
        ("x.csv", b"name,name\nVIP,ok\n", "is there more than once"),
        ("x.csv", b"name,colour\n" + b"x,ok\n" * 501, "There are more than 500 rows"),
        ("x.csv", b"name,colour\n" + b"x" * 300_000, "The file is larger than 256 KB"),
        ("x.csv", b"PK\x03\x04\x14\x00\x08\x08\xff" * 9, "This is not UTF-8"),
        ("x.json", b"[", "The file is no JSON"),
        ("x.json", b"\xff", "The file is not UTF-8"),
        ("x.json", b"[" * 200_000, "The file is no JSON"),
        ("x.json", b'{"name": "VIP", "colour": "ok"}', "The file is no list of objects"),
        ("x.json", b"7", "The file is no list of objects"),
        ("x.json", b"[]", "There are no rows in the file"),
        ("x.json", b"[" + b'{"name": "VIP", "colour": "ok"},' * 500 + b"7]", "There are more than 500 rows"),
        ("x.json", b"[7]", "This is no object"),
        ("x.json", b'[{"name": {"a": 1}, "colour": "ok"}]', "A value is a list or an object"),
        ("x.json", b'[{"name": "a", "name": "b", "colour": "ok"}]', "A name stands twice"),
        ("x.json", b'[{"name": "\\ud800", "colour": "ok"}]', "name: there is half a character in it"),
        ("x.json", b'[{"name": "a\\u0000", "colour": "ok"}]', "name: there is a NUL character"),
        ("x.json", b'[{"name": 1e9999, "colour": NaN}]', "colour: Value 'NaN' is not a valid choice"),
        ("x.csv", b"name\nVIP\n", "The column colour is missing"),
        ("x.csv", b"colour\nok\n", "name: This field cannot be blank"),
        ("x.csv", b"name,colour,<script>\nVIP,ok,1\n", "There is no column '<script>'"),
        ("x.csv", b"name,colour\nVIP,pink\n", "colour: Value 'pink' is not a valid choice"),
    ],
)
def test_a_file_that_cannot_be_imported_says_why(client, keeper, name, content, words):
    shown = show(client, content, page=TAGS, name=name)
    assert shown.status_code == 200
    assert words in text_of(shown)
    assert 'name="preview"' not in text_of(shown)
    assert "<script>" not in shown.content.decode()
    assert not Tag.objects.exists()


def test_neither_a_file_nor_a_reason_goes_without_the_other(client, keeper):
    assert "This field is required." in text_of(client.post(TAGS, {"reason": "x"}))
    assert "This field is required." in text_of(show(client, "name,colour\nx,ok\n", page=TAGS, reason=" "))


@pytest.mark.parametrize("lacking", ["add", "change"])
@pytest.mark.parametrize(("page", "model"), [(PACKS, "billing.{}_creditpack"), (TAGS, "accounts.{}_tag")])
def test_who_may_not_both_add_and_change_imports_nothing(client, page, model, lacking):
    verbs = {"view", "add", "change"} - {lacking}
    client.force_login(StaffFactory(permissions=[model.format(verb) for verb in verbs]))
    assert client.get(page).status_code == 403
    assert show(client, "name,colour\nx,ok\n", page=page).status_code == 403
    assert client.post(page, {"preview": "x"}).status_code == 403
    assert page not in text_of(client.get(page.removesuffix("import/")))


def test_the_list_leads_to_the_import(client, keeper):
    for page in (PACKS, TAGS):
        assert f'href="{page}"' in text_of(client.get(page.removesuffix("import/")))
        assert client.get(page).status_code == 200


def test_the_permission_is_asked_for_again_when_it_is_confirmed(client, keeper, small):
    shown = show(client, HEAD + pack_row(small, name="Other"))
    keeper.user_permissions.remove(Permission.objects.get(codename="change_creditpack"))
    assert confirm(client, shown).status_code == 403
    assert CreditPack.objects.get().name == "Small"


def test_only_what_was_shown_to_one_is_confirmed_and_only_for_an_hour(client, keeper, small, monkeypatch):
    shown = show(client, HEAD + pack_row(small, name="Other"))
    preview = shown.context["preview"]
    elsewhere = show(client, "name,colour\nx,ok\n", page=TAGS).context["preview"]
    for forged in (preview[:-1] + ("A" if preview[-1] != "A" else "B"), "x" + preview, "", "\0", elsewhere):
        assert importlists.STALE in text_of(client.post(PACKS, {"preview": forged}))
    monkeypatch.setattr(importlists, "PREVIEW_SECONDS", -1)
    assert importlists.STALE in text_of(client.post(PACKS, {"preview": preview}))
    monkeypatch.undo()
    client.force_login(StaffFactory(permissions=MAY_KEEP))
    assert importlists.STALE in text_of(client.post(PACKS, {"preview": preview}))
    assert CreditPack.objects.get().name == "Small"
    client.force_login(keeper)
    assert client.post(PACKS, {"preview": preview}).status_code == 302
    assert CreditPack.objects.get().name == "Other"


def test_a_catalogue_that_changed_since_is_shown_again_before_anything_is_done(client, keeper, small):
    shown = show(client, HEAD + pack_row(small, position=5))
    CreditPack.objects.update(credits=777)
    again = confirm(client, shown)
    assert importlists.CHANGED in text_of(again)
    assert again.context["outcome"].lines[0].changes == {"credits": ("777", "100"), "position": ("0", "5")}
    small.refresh_from_db()
    assert (small.credits, small.position) == (777, 0)
    assert confirm(client, again).status_code == 302
    small.refresh_from_db()
    assert (small.credits, small.position) == (100, 5)


def test_a_second_confirmation_adds_nothing_twice(client, keeper):
    shown = show(client, HEAD + ",Large,500,40,EUR,,true,2\n")
    assert confirm(client, shown).status_code == 302
    assert importlists.CHANGED in text_of(confirm(client, shown))
    assert CreditPack.objects.count() == 1


def test_an_import_that_cannot_be_audited_is_not_done(client, keeper, small, monkeypatch):
    shown = show(client, HEAD + pack_row(small, name="Other") + ",Large,500,40,EUR,,true,2\n")
    before, recorded = all_packs(), services.catalogues.record

    def fail_at_the_second(**told):
        if told["action"] == "record.add":
            raise RuntimeError("no log")
        return recorded(**told)

    monkeypatch.setattr(services.catalogues, "record", fail_at_the_second)
    with pytest.raises(RuntimeError, match="no log"):
        confirm(client, shown)
    assert all_packs() == before
    assert not AuditEntry.objects.exists()


def test_the_service_takes_no_row_at_fault_whatever_the_page_lets_through(keeper):
    rows = [files.FileRow(2, {"name": "a", "colour": "ok"}), files.FileRow(3, {"name": "b", "colour": "pink"})]
    seen = services.look_through(resource=TagResource(), rows=rows)
    with pytest.raises(NotAsShown):
        services.import_rows(resource=TagResource(), rows=rows, state=seen.state, actor=keeper, reason="x")
    assert not Tag.objects.exists()


def test_what_is_no_fault_of_the_file_is_not_told_as_one(monkeypatch):
    def broken(self, text):
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(TagResource, "find", broken)
    with pytest.raises(RuntimeError, match="a mistake of ours"):
        services.look_through(resource=TagResource(), rows=[files.FileRow(2, {"name": "a", "colour": "ok"})])


def test_an_upload_leaves_no_file_behind(client, keeper, settings, tmp_path, monkeypatch):
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 1
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    shown = show(client, "name,colour\nx,ok\n", page=TAGS)
    assert list(tmp_path.iterdir()) == []
    assert confirm(client, shown, TAGS).status_code == 302
    assert show(client, "name", page=TAGS).status_code == 200
    assert list(tmp_path.iterdir()) == []


@pytest.mark.django_db(transaction=True)
def test_two_who_confirm_at_once_have_one_effect():
    actor = StaffFactory()
    rows = [
        files.FileRow(2, dict(zip(HEAD.strip().split(","), ["", "L", "1", "1", "USD", "", "true", "0"], strict=True)))
    ]
    seen = services.look_through(resource=PackResource(), rows=rows)

    def confirmed():
        try:
            services.import_rows(resource=PackResource(), rows=rows, state=seen.state, actor=actor, reason="x")
        except NotAsShown:
            return "not as shown"
        return "done"

    assert sorted(at_once([confirmed] * 4)) == ["done", *["not as shown"] * 3]
    assert CreditPack.objects.count() == AuditEntry.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_an_import_waits_for_a_form_that_holds_a_row_and_neither_overwrites_the_other(small):
    """The form reads, locks and saves the row; an import in between would deadlock with it or undo it."""
    actor = StaffFactory()
    rows = [
        files.FileRow(
            2, dict(zip(HEAD.strip().split(","), pack_row(small, name="File").strip().split(","), strict=True))
        )
    ]
    seen = services.look_through(resource=PackResource(), rows=rows)

    def form():
        with transaction.atomic():
            pack = CreditPack.objects.select_for_update(no_key=True).get()
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_sleep(0.5)")
            pack.name = "Form"
            pack.save()
        return "form"

    def imported():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(0.2)")
        try:
            services.import_rows(resource=PackResource(), rows=rows, state=seen.state, actor=actor, reason="x")
        except NotAsShown:
            return "not as shown"
        return "done"

    assert sorted(at_once([form, imported])) == ["form", "not as shown"]
    assert CreditPack.objects.get().name == "Form"
