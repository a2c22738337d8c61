"""The bills of materials and NOTICE say what the locks say: who changes a lock runs docker/bill.py."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path

import pytest
from packaging.markers import Marker

ROOT = Path(__file__).parents[2]
PINNED = re.compile(
    r"^(?P<name>[A-Za-z0-9_.-]+)(?:\[[^]]*\])?==(?P<version>\S+)(?: ; (?P<marker>[^\\\n]*))? \\\n(?P<hashes>(?:    --hash.*\n?)+)",
    re.MULTILINE,
)
PLATFORM = {
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_full_version": "3.11.9",
    "python_version": "3.11",
    "sys_platform": "linux",
}


def load_bill():
    """docker/bill.py as a module: it belongs to no package."""
    spec = importlib.util.spec_from_file_location("bill", ROOT / "docker" / "bill.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


BILL = load_bill()
BILLS = {image: json.loads((BILL.BILLS / f"{image}.cdx.json").read_text()) for image in BILL.LOCKS}


def locked(image):
    """{(name, version): hashes} of what an image's locks install on its platform."""
    text = "\n".join((ROOT / "requirements" / f"{lock}.txt").read_text() for lock in BILL.LOCKS[image])
    return {
        (m["name"].lower(), m["version"]): set(re.findall(r"sha256:([0-9a-f]{64})", m["hashes"]))
        for m in PINNED.finditer(text)
        if not m["marker"] or Marker(m["marker"].strip()).evaluate(PLATFORM)
    }


@pytest.mark.parametrize("image", BILLS)
def test_a_bill_holds_what_the_locks_install_and_nothing_else(image):
    packages = {key: hashes for key, hashes in locked(image).items() if key[0] not in BILL.REMOVED[image]}
    components = {(c["name"], c["version"]): c["hashes"][0]["content"] for c in BILLS[image]["components"]}

    assert len(packages) > 10
    assert components.keys() == packages.keys(), "run docker/bill.py"
    assert [key for key, digest in components.items() if digest not in packages[key]] == []


def test_notice_is_what_the_bills_say():
    assert (ROOT / "NOTICE").read_text() == BILL.render_notice(BILLS), "run docker/bill.py"


def test_every_package_has_a_licence_and_nvidia_s_are_named():
    licences = {c["name"]: c["licenses"][0]["license"]["name"] for b in BILLS.values() for c in b["components"]}

    assert [name for name, licence in licences.items() if not licence or len(licence) > 150] == []
    nvidia = [name for name in licences if name.startswith("nvidia-")]
    assert nvidia
    assert [
        name for name in nvidia if "propriet" not in licences[name].lower() and "nvidia" not in licences[name].lower()
    ] == []


def test_a_bill_names_no_place_from_which_packages_come():
    assert [
        image
        for image in BILLS
        if "://" in json.dumps(BILLS[image]).replace("http://cyclonedx.org/schema/bom-1.6.schema.json", "")
    ] == []


def test_a_package_without_a_licence_ends_the_program():
    with pytest.raises(SystemExit, match="the metadata of thing names no licence; allowed: one in a word; look at its"):
        BILL.find_licence("thing", {"license": "x" * 500})


@pytest.mark.parametrize(
    ("metadata", "licence"),
    [
        ({"license_expression": "MIT", "license": "no"}, "MIT"),
        ({"classifier": ["License :: OSI Approved", "License :: OSI Approved :: BSD License"]}, "BSD License"),
        ({"license": "Apache\n 2.0"}, "Apache 2.0"),
    ],
)
def test_the_licence_is_what_the_metadata_name_in_a_word(metadata, licence):
    assert BILL.find_licence("thing", metadata) == licence
