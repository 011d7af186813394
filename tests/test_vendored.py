"""Front-end files of others are the ones that were fetched, and nothing else."""

import hashlib
import json
from pathlib import Path

from django.conf import settings

VENDOR = Path(settings.BASE_DIR) / "static" / "vendor"
RECORDED = json.loads((VENDOR / "VERSIONS.json").read_text())


def test_every_vendored_file_has_the_checksum_it_was_fetched_with():
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in VENDOR.iterdir()}
    found.pop("VERSIONS.json")
    assert found == {name: entry["sha256"] for name, entry in RECORDED.items()}


def test_every_vendored_file_says_which_package_and_version_it_is_of():
    for name, entry in RECORDED.items():
        assert entry["package"] and entry["version"][0].isdigit(), name
        assert entry["integrity"].startswith("sha512-"), name


def test_vendored_scripts_name_no_source_map_that_is_not_there():
    for path in VENDOR.glob("*.js"):
        assert b"sourceMappingURL" not in path.read_bytes(), path.name
