"""What this app offers to the rest of the house, under strings."""

from collections.abc import Mapping
from typing import Any

from django.urls import reverse

from backoffice.lib.admin import display
from backoffice.lib.lives import Anonymiser, anonymisers
from backoffice.lib.registry import NavigationItem, navigation
from backoffice.lib.work import JobKind, job_kinds
from imports import services
from imports.errors import ImportRefused
from imports.selectors import IMPORT
from imports.services import jobs


def register() -> None:
    """Called once, from ``AppConfig.ready()``."""
    kinds = [
        (jobs.CHECK, "Check a file of customers", jobs.run_check),
        (jobs.IMPORT, "Import customers", jobs.run_import),
    ]
    for key, label, whole in kinds:
        job_kinds.register(
            JobKind(
                key=key,
                label=label,
                permission=IMPORT,
                whole=whole,
                words=_words,
                refusals=(ImportRefused,),
                targets="rows",
            )
        )
    anonymisers.register(
        Anonymiser(
            key="imports",
            forget=lambda user_ids, known: {"imports": services.forget_files_about([known.email])},
            kept={"imports.CustomerImport": "how a file was called and why it was handed in; what tells of them goes"},
        )
    )
    navigation.register(
        NavigationItem(
            key="imports",
            section="Customers",
            label="Imports",
            url_name="admin:imports_customerimport_changelist",
            icon="upload",
            permission=IMPORT,
            order=50,
        )
    )


def _words(params: Mapping[str, Any]) -> list[tuple[str, Any]]:
    address = reverse("admin:imports_customerimport_change", args=[params["import"]])
    return [("File", display.link(address, f"import {params['import']}"))]
