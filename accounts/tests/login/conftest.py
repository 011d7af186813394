import pytest

from accounts.tests.login.staff import Browser, make_member


@pytest.fixture
def required(settings):
    """A second factor is required, as in production."""
    settings.STAFF_MFA_REQUIRED = True


@pytest.fixture
def grace(db):
    return make_member()


@pytest.fixture
def browser(db):
    return Browser()
