"""Writes what each image holds: docker/bills/IMAGE.cdx.json (CycloneDX) from the locks, and NOTICE with the licences.

    $(.ci/environment audit python3.11)/bin/python docker/bill.py

Run it after requirements/lock.sh; tests/docker/test_bill.py fails until then. pip reads each package's metadata, which names its
licence, and installs nothing. The images' Python is 3.11 on Linux and x86-64, so this must be too.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import textwrap
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
BILLS = ROOT / "docker" / "bills"
LOCKS = {"trainer": ["trainer-cpu"], "trainer-gpu": ["trainer-gpu"], "aggregator": ["aggregator", "k8s"]}
REMOVED = {"trainer": {"libclang", "setuptools", "wheel"}, "aggregator": set()}  # as the Dockerfiles uninstall them
REMOVED["trainer-gpu"] = REMOVED["trainer"]
# Licences that a package's metadata does not name in a word, as its own LICENSE file has them.
KNOWN = {"namex": "Apache-2.0"}


def main() -> int:
    """Writes every bill, checked against CycloneDX's own schema, and NOTICE."""
    bills = {image: make_bill(image, read_packages(image)) for image in LOCKS}
    BILLS.mkdir(exist_ok=True)
    for image, bill in bills.items():
        text = json.dumps(bill, indent=1) + "\n"
        check_bill(text)
        (BILLS / f"{image}.cdx.json").write_text(text)
    (ROOT / "NOTICE").write_text(render_notice(bills))
    return 0


def read_packages(image: str) -> dict[str, dict[str, Any]]:
    """Returns what pip says of each package that it would install into the image, by name."""
    found = {}
    for lock in LOCKS[image]:
        with tempfile.NamedTemporaryFile() as report:
            asked = (
                "install",
                "--dry-run",
                "--ignore-installed",
                "--no-deps",
                "--require-hashes",
                "--only-binary",
                ":all:",
            )
            told = ("--quiet", "--report", report.name, "--requirement", ROOT / "requirements" / f"{lock}.txt")
            subprocess.run([sys.executable, "-m", "pip", *asked, *told], check=True)
            packages = json.loads(Path(report.name).read_text())["install"]
        found |= {p["metadata"]["name"].lower().replace("_", "-"): p for p in packages}
    return {name: p for name, p in sorted(found.items()) if name not in REMOVED[image]}


def make_bill(image: str, packages: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Returns the bill of materials of one image: the same locks give the same bytes."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    suite = {"type": "container", "bom-ref": image, "name": f"collaborative-ensembles/{image}", "version": version}
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {**suite, "licenses": [{"license": {"id": "Apache-2.0"}}]}},
        "components": [make_component(name, package) for name, package in packages.items()],
    }


def make_component(name: str, package: dict[str, Any]) -> dict[str, Any]:
    """Returns one package as CycloneDX has it, with the digest of the wheel for the images' platform."""
    version = package["metadata"]["version"]
    reference = f"pkg:pypi/{name}@{version}"
    return {
        "type": "library",
        "bom-ref": reference,
        "name": name,
        "version": version,
        "purl": reference,
        "hashes": [{"alg": "SHA-256", "content": package["download_info"]["archive_info"]["hashes"]["sha256"]}],
        "licenses": [{"license": {"name": find_licence(name, package["metadata"])}}],
    }


def find_licence(name: str, metadata: dict[str, Any]) -> str:
    """Returns a package's licence: its expression, else what its classifiers say, else its short text."""
    words = metadata.get("license_expression") or KNOWN.get(name) or ""
    classified = [c.split(" :: ")[-1] for c in metadata.get("classifier", ()) if c.startswith("License :: ")]
    classified = [c for c in classified if c != "OSI Approved"]
    text = " ".join(str(metadata.get("license", "")).split())
    found = words or ", ".join(classified) or (text if len(text) < 80 else "")
    if not found:
        raise SystemExit(
            f"error: the metadata of {name} names no licence; allowed: one in a word; look at its LICENSE and add it to KNOWN in docker/bill.py"
        )
    return found


def check_bill(text: str) -> None:
    """Accepts a text that CycloneDX's schema accepts; ends the program otherwise."""
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    if wrong := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        raise SystemExit(f"error: a bill of materials is not CycloneDX: {wrong}; correct docker/bill.py")


def render_notice(bills: dict[str, dict[str, Any]]) -> str:
    """Returns NOTICE: what the images hold beside the suite, and under which licences."""
    inside: dict[tuple[str, str, str], list[str]] = {}
    for image, bill in bills.items():
        for c in bill["components"]:
            inside.setdefault((c["name"], c["version"], c["licenses"][0]["license"]["name"]), []).append(image)
    rows = [
        f"{name} {version}: {licence} ({', '.join(images)})"
        for (name, version, licence), images in sorted(inside.items())
    ]
    return NOTICE + "\n".join(rows) + "\n"


NOTICE = textwrap.dedent("""\
    collaborative-ensembles

    This suite is licensed under the Apache License 2.0 (LICENSE). The source holds no third-party code. The container images
    that docker/build.sh builds hold the packages below, each under its own licence; its text is in the package's folder
    NAME.dist-info in the image. The base image (Debian and Python by default) has licences of its own, in /usr/share/doc.

    The image trainer-gpu holds NVIDIA's CUDA libraries, cuDNN and NCCL as NVIDIA's wheels, which are proprietary: NVIDIA's licence
    agreements, not this suite's licence, say who may copy the image. Whoever pushes it to a registry that others can
    read distributes them; read the agreements first.

    Written by docker/bill.py from the locks.

""")


if __name__ == "__main__":
    sys.exit(main())
