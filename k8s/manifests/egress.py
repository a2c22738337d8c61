"""Makes the rules of a NetworkPolicy for what pods may connect to: DNS, the API server, the store, a proxy. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from experiment.errors import refuse
from k8s.manifests.names import Manifest

DNS_PORT = 53
LARGEST_PORT = 65535
NAMESPACE = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
WITH_PORT = re.compile(r"(\[(?P<v6>[0-9a-fA-F:./]+)\]|(?P<place>[^:\[\]]+))(:(?P<port>[0-9]{1,5}))?")
SCHEME_PORTS = {"http": 80, "https": 443}
# Never through a proxy: the API server, Services of the cluster, and the addresses that give pods their identity.
DIRECT: tuple[str, ...] = ("$(KUBERNETES_SERVICE_HOST)", "localhost", "127.0.0.1", ".svc", ".cluster.local")
DIRECT += ("169.254.169.254", "169.254.170.23")


def dns_rules(places: Iterable[str]) -> list[Manifest]:
    """Returns the rules for the places of DNS servers, one rule for each port."""
    by_port: dict[int, list[Manifest]] = {}
    for peer, port in map(parse_dns, places):
        by_port.setdefault(port, []).append(peer)
    return [
        {"to": peers, "ports": [{"protocol": protocol, "port": port} for protocol in ("UDP", "TCP")]}
        for port, peers in by_port.items()
    ]


def parse_dns(text: str) -> tuple[Manifest, int]:
    """Returns the peer and the port of a DNS server: a namespace, an address or a network, with ``:PORT`` unless it is 53.

    Raises:
        InvalidInput: the text is none of them.
    """
    match = WITH_PORT.fullmatch(text)
    place = (match["v6"] or match["place"]) if match else text
    port = int(match["port"] or DNS_PORT) if match else DNS_PORT
    network = _network(place)
    if not match and network is not None and network.version == 6:
        match = WITH_PORT.fullmatch(f"[{text}]")  # without a port an address of version 6 needs no brackets
    if not match or not 0 < port <= LARGEST_PORT or (network is None and not NAMESPACE.fullmatch(place)):
        allowed = "NAMESPACE, ADDRESS or NETWORK, with :PORT unless it is 53 (an IPv6 address then in [...])"
        raise refuse("an entry of setting dns", text, allowed, "correct it")
    if network is not None:
        return {"ipBlock": {"cidr": str(network)}}, port
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": place}}}, port


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def find_ports(api_ports: Iterable[int], urls: Iterable[str]) -> list[Manifest]:
    """Returns the ports of the API server and of these URLs, each once."""
    of_urls = {port for url in urls if url and (port := _port(url))}
    return [{"protocol": "TCP", "port": port} for port in sorted({443, *api_ports, *of_urls})]


def _port(url: str) -> int | None:
    parts = urlsplit(url)
    return parts.port or SCHEME_PORTS.get(parts.scheme)


def proxy_variables(proxy: str, no_proxy: Iterable[str]) -> Mapping[str, str]:
    """Returns the variables by which a pod's programs find the proxy; empty without one."""
    if not proxy:
        return {}
    return {"HTTPS_PROXY": proxy, "HTTP_PROXY": proxy, "NO_PROXY": ",".join((*DIRECT, *no_proxy))}
