"""How much may be uploaded, and by whom: nobody fills the disk who is not let in."""

from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler, StopUpload


class BoundedUploadHandler(FileUploadHandler):
    """Refuses an upload that is larger than its sender may send, at its first byte or as soon as it is."""

    def handle_raw_input(
        self,
        input_data: IO[bytes],
        META: Mapping[str, Any],
        content_length: int,
        boundary: str,
        encoding: str | None = None,
    ) -> None:
        user = getattr(self.request, "user", None)
        is_staff = user is not None and user.is_authenticated and user.is_staff
        self._left = settings.UPLOAD_MAX_BYTES if is_staff else settings.FILE_UPLOAD_MAX_MEMORY_SIZE
        if content_length > self._left:
            raise RequestDataTooBig("The upload is larger than is allowed.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        self._left -= len(raw_data)
        if self._left < 0:
            raise StopUpload(connection_reset=True)
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """The next handler has the file."""
