import pytest

from backoffice.lib.work import job_kinds, limited_verbs
from jobs.tests import kinds
from tests.factories import StaffFactory


@pytest.fixture
def naming():
    with kinds.offered(job_kinds, kinds.naming()) as kind:
        yield kind


@pytest.fixture
def limited():
    with kinds.offered(limited_verbs, kinds.LIMITED) as verb:
        yield verb


@pytest.fixture
def clerk(db):
    return StaffFactory(permissions=[kinds.PERMISSION])
