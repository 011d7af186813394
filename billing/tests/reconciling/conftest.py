"""A clerk who may reconcile, and a payment that waits for one."""

import pytest

from billing.models import EventState
from billing.tests.flow import deliver_without_session
from billing.tests.reconciling.steps import PERMISSIONS
from billing.tests.stripe_bodies import (
    intent_succeeded,
    payment_intent,
)
from tests.factories import StaffFactory


@pytest.fixture
def clerk(client):
    member = StaffFactory(permissions=PERMISSIONS)
    client.force_login(member)
    return member


@pytest.fixture
def parked():
    """A payment of somebody whom nobody here knows."""
    (stored,) = deliver_without_session(
        intent_succeeded(payment_intent(metadata={"credits": "100"}, customer="cus_unknown"))
    )
    assert stored.state == EventState.PARKED
    return stored
