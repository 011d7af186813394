import json

import pytest
from django.db.models import F

from accounts.models import Customer
from backoffice.lib import json_file
from backoffice.lib.csv import Column, UtcText
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db

COLUMNS = [
    Column("Full Name", "full_name"),
    Column("Joined", UtcText(F("date_joined"))),
    Column("ID", "pk"),
]


def read(rows):
    return json.loads(b"".join(json_file.stream(rows.order_by("pk"), COLUMNS)))


def test_rows_are_objects_whose_text_is_as_it_is():
    strange = '=1+1 "quoted", \\back\\slash \t tab \n line ✓ é'
    customer = CustomerFactory(full_name=strange)
    CustomerFactory(full_name="")
    first, second = read(Customer.objects.all())
    assert first == {"full_name": strange, "joined": f"{customer.date_joined:%Y-%m-%dT%H:%M:%SZ}", "id": customer.pk}
    assert second["full_name"] == ""


def test_no_rows_are_an_empty_list():
    assert read(Customer.objects.filter(pk=-1)) == []


def test_many_rows_come_in_pieces():
    CustomerFactory.create_batch(600, full_name="x" * 190)
    pieces = list(json_file.stream(Customer.objects.order_by("pk"), COLUMNS))
    assert len(pieces) > 1
    assert len(json.loads(b"".join(pieces))) == 600
