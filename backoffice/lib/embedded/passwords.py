import os
import secrets
import tempfile
from pathlib import Path

from backoffice.lib.embedded.errors import EmbeddedError
from backoffice.lib.embedded.places import folder


def secret(data_dir: Path, name: str) -> str:
    """The random secret kept under this name in the data directory, made on first use.

    Safe to call from several processes at once: all of them get the value of the one that came first.
    Raises EmbeddedError when the stored file is empty.
    """
    path = _vault(data_dir) / name
    if not path.exists():
        _create(path, secrets.token_urlsafe(32))
    value = path.read_text().strip()
    if not value:
        raise EmbeddedError(f"{path} is empty: delete it, and a new secret is made")
    return value


def _vault(data_dir: Path) -> Path:
    folder(data_dir, 0o711)
    vault = data_dir / "secrets"
    folder(vault, 0o700)
    if vault.stat().st_mode & 0o077:
        vault.chmod(0o700)
    return vault


def _create(path: Path, value: str) -> None:
    """Publish the value by a hard link: readers never see half a file, and the first writer wins."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(value + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, path)
    except FileExistsError:
        return
    finally:
        os.unlink(temporary)
