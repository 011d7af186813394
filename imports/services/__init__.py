"""Verbs on files of customers: keep one, look through it, import it, forget it."""

from imports.services.files import forget_files_about, forget_old_files, keep_file
from imports.services.importing import check_file, import_file
from imports.services.jobs import start_check, start_import

__all__ = [
    "check_file",
    "forget_files_about",
    "forget_old_files",
    "import_file",
    "keep_file",
    "start_check",
    "start_import",
]
