"""Fixtures of other surroundings: users without rights, file systems that lack something, S3 servers of another kind."""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.experiment.servers import Answering, error_body

NOBODY = 65534
DROP_RIGHTS = f"""
import os
import experiment.store
if os.getuid() == 0:
    os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})
"""


@pytest.fixture
def shared_folder(monkeypatch):
    """A folder that every user may read and write, with the temporary files of this test in it."""
    folder = Path(tempfile.mkdtemp()).resolve()
    folder.chmod(0o777)
    (folder / "temporary").mkdir()
    (folder / "temporary").chmod(0o777)
    monkeypatch.setenv("TMPDIR", str(folder / "temporary"))
    yield folder
    for path in [folder, *folder.rglob("*")]:
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o777)
    shutil.rmtree(folder)


@pytest.fixture
def unprivileged():
    """Runs code as a user without rights: another user where the tests run as root, else this one."""

    def run(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", DROP_RIGHTS + code, *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    return run


@pytest.fixture
def preloaded(tmp_path):
    """Runs code in a process whose system calls are replaced by those of a C source, as another file system has them."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler: file systems without locks or links cannot be imitated")

    def run(source: str, code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
        library, text = tmp_path / "stub.so", tmp_path / "stub.c"
        text.write_text(source)
        subprocess.run([compiler, "-shared", "-fPIC", "-o", library, text], check=True)
        command = [sys.executable, "-c", code, *map(str, arguments)]
        env = {**os.environ, "LD_PRELOAD": str(library)}
        return subprocess.run(command, capture_output=True, text=True, timeout=60, env=env)

    return run


@pytest.fixture
def answering():
    """Starts a server that answers every request with one status and body; returns its URL."""
    started = []

    def start(status: int, body: str = "", form: str = "application/xml") -> str:
        started.append(Answering(status, body, form))
        return started[-1].url

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def secure_server(tmp_path):
    """A server of a self-signed certificate; its URL and the certificate's file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + dt.timedelta(days=1))
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = builder.add_extension(names, critical=False).sign(key, hashes.SHA256())
    private = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (tmp_path / "key.pem").write_bytes(key.private_bytes(*private))
    (tmp_path / "certificate.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    server = Answering(404, error_body("NoSuchBucket"), "application/xml")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "certificate.pem", tmp_path / "key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    yield server.url.replace("http", "https"), tmp_path / "certificate.pem"
    server.stop()
