"""Fetches the front-end files of npm packages that pages use, so that running the product needs no Node.

``python scripts/vendor.py`` packs the pinned version of each package, copies the files it names to ``static/vendor/``
and writes where they came from, with their checksums, to ``static/vendor/VERSIONS.json``. Change a version here, run
it, and commit what it changed; a test holds the files to their checksums.
"""

import hashlib
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

VENDOR = Path(__file__).resolve().parent.parent / "static" / "vendor"
RECORD = "VERSIONS.json"
# The reference to a source map, which is not shipped: the manifest of static files would look for it in vain.
SOURCE_MAP = re.compile(rb"^[ \t]*(//|/\*)[#@] sourceMappingURL=[^\n]*\n?", re.MULTILINE)


@dataclass(frozen=True)
class Package:
    """``files`` are paths inside the package, each with the name it has here."""

    name: str
    version: str
    files: dict[str, str]


PACKAGES = (
    # The second line of htmx: version 4 is another library.
    Package("htmx.org", "2.0.11", {"dist/htmx.min.js": "htmx.min.js", "LICENSE": "htmx.LICENSE.txt"}),
)


def main() -> int:
    VENDOR.mkdir(parents=True, exist_ok=True)
    recorded = {name: entry for package in PACKAGES for name, entry in fetch(package).items()}
    (VENDOR / RECORD).write_text(json.dumps(recorded, indent=2, sort_keys=True) + "\n")
    for stranger in {path.name for path in VENDOR.iterdir()} - {RECORD, *recorded}:
        (VENDOR / stranger).unlink()
    sys.stdout.write(f"{len(recorded)} files in {VENDOR}\n")
    return 0


def fetch(package: Package) -> dict[str, dict[str, Any]]:
    """Copy a package's files; for each of them where it came from."""
    with tempfile.TemporaryDirectory() as folder:
        packed = subprocess.run(  # noqa: S603 (our own command)
            ["npm", "pack", f"{package.name}@{package.version}", "--json", "--silent"],  # noqa: S607 (whichever is there)
            cwd=folder,
            check=True,
            capture_output=True,
            text=True,
        )
        [told] = json.loads(packed.stdout)
        with tarfile.open(Path(folder) / told["filename"]) as archive:
            return {
                name: entry(package, path, content=copied(archive, path, name), integrity=told["integrity"])
                for path, name in package.files.items()
            }


def copied(archive: tarfile.TarFile, path: str, name: str) -> bytes:
    member = archive.extractfile(f"package/{path}")
    if member is None:
        raise FileNotFoundError(path)
    content = SOURCE_MAP.sub(b"", member.read())
    (VENDOR / name).write_bytes(content)
    return content


def entry(package: Package, path: str, *, content: bytes, integrity: str) -> dict[str, Any]:
    return {
        "package": package.name,
        "version": package.version,
        "path": path,
        "integrity": integrity,
        "sha256": hashlib.sha256(content).hexdigest(),
    }


if __name__ == "__main__":
    sys.exit(main())
