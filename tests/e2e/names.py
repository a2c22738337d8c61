"""A name server for pods that knows one name, and can be gone. It listens where the kubelet tells pods that names are resolved."""

from __future__ import annotations

import socket
import socketserver

from tests.served import Served

PORT = 53
ANSWER, UNKNOWN = 0x8180, 0x8183  # flags: an answer, with recursion; no such name
ADDRESS, CLASS, SECONDS = 1, 1, 1  # the only record: an IPv4 address, to be kept for a second


class Names(Served, socketserver.ThreadingUDPServer):
    """Answers questions for ``name`` with ``address``, and says of all others that they do not exist."""

    allow_reuse_address = True
    gone = False  # while it is set, nobody is answered

    def __init__(self, host: str, name: str, address: str) -> None:
        super().__init__((host, PORT), _Handler)
        self.name, self.address = name, address
        self.unanswered = 0

    def answer(self, question: bytes) -> bytes:
        """The answer to a question of one name (RFC 1035, 4.1)."""
        end = question.index(0, 12)
        labels, at = [], 12
        while at < end:
            labels.append(question[at + 1 : at + 1 + question[at]])
            at += 1 + question[at]
        kind = int.from_bytes(question[end + 1 : end + 3])
        known = b".".join(labels).decode() == self.name
        found = known and kind == ADDRESS  # of other kinds the name has nothing
        header = question[:2] + (ANSWER if known else UNKNOWN).to_bytes(2) + bytes((0, 1, 0, found, 0, 0, 0, 0))
        record = b"\xc0\x0c" + ADDRESS.to_bytes(2) + CLASS.to_bytes(2) + SECONDS.to_bytes(4) + b"\0\x04"
        return header + question[12 : end + 5] + (record + socket.inet_aton(self.address) if found else b"")


class _Handler(socketserver.BaseRequestHandler):
    server: Names

    def handle(self) -> None:
        question, wire = self.request
        if self.server.gone:
            self.server.unanswered += 1
        else:
            wire.sendto(self.server.answer(question), self.client_address)
