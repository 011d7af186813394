"""How an app offers a bulk act."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from backoffice.lib.admin.confirm import Change
from backoffice.lib.work import ApprovableVerb, BulkAction, approvable_verbs, bulk_actions, limited_verbs
from jobs.admin import shown
from jobs.admin.prepare import effect_of
from jobs.errors import WrongState
from jobs.models import Job
from jobs.services.bulk import give_up, start_approved


def offer_bulk(action: BulkAction) -> None:
    """Register a bulk act, and, if it has a limit, the verb by which a second person allows what is above it."""
    bulk_actions.register(action)
    if not action.limited_verb:
        return
    limited = limited_verbs.get(action.limited_verb)
    approvable_verbs.register(
        ApprovableVerb(
            key=action.key,
            label=action.label,
            permission=action.permission,
            unit=limited.unit if limited else "",
            effect=partial(_effect, action),
            run=start_approved,
            url=_url,
            given_up=give_up,
            refusals=(WrongState,),
            order=action.order,
        )
    )


def _effect(action: BulkAction, params: Mapping[str, Any]) -> Sequence[Change]:
    job = Job.objects.get(pk=params["job"])
    return effect_of(job, action, job.params)


def _url(params: Mapping[str, Any]) -> str:
    return shown.page_of(Job(pk=params["job"]))
