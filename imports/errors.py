"""What can go wrong with an import."""

from imports.report import Report


class ImportRefused(Exception):
    """It cannot be imported, or not now; the message says why and what to do."""


class FileFaulty(ImportRefused):
    """There are errors in the file, so nothing was imported. ``report`` has them."""

    def __init__(self, report: Report) -> None:
        number = "1 error" if report.faults == 1 else f"{report.faults:,} errors"
        super().__init__(f"{number} in the file: nothing was imported.")
        self.report = report
