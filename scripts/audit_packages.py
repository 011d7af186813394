"""Fails when a pinned package has a known vulnerability; says so when that cannot be found out."""

import json
import subprocess
import sys
from typing import Any

REQUIREMENTS = ("requirements.txt", "requirements-dev.txt")
# The pins are complete and hashed, so nothing has to be resolved.
PIP_AUDIT = (sys.executable, "-m", "pip_audit", "--require-hashes", "--disable-pip", "--format=json")


def main() -> int:
    files = [part for name in REQUIREMENTS for part in ("--requirement", name)]
    audit = subprocess.run(  # noqa: S603 (our own command)
        [*PIP_AUDIT, "--progress-spinner=off", "--timeout=10", *files], capture_output=True, text=True, check=False
    )
    try:
        packages = json.loads(audit.stdout)["dependencies"]
    except ValueError:
        return say(f"Packages not audited, the advisory service cannot be reached: {last_line(audit.stderr)}")
    return report(packages)


def report(packages: list[dict[str, Any]]) -> int:
    vulnerable = [package for package in packages if package.get("vulns")]
    for package in vulnerable:
        for found in package["vulns"]:
            fixed = ", ".join(found["fix_versions"]) or "no version yet"
            say(f"{package['name']} {package['version']}: {found['id']}, fixed in {fixed}")
    unknown = sum("skip_reason" in package for package in packages)
    if unknown:
        say(f"{unknown} of {len(packages)} packages not audited: the advisory service knows nothing of them")
    return 1 if vulnerable else 0


def last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no reason given"])[-1]


def say(line: str) -> int:
    sys.stdout.write(f"{line}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
