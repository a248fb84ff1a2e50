"""Who gets in at the web page, from the settings; none of the page itself is loaded."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator, Mapping
from dataclasses import replace

from detector.config.web_settings import WebSettings
from detector.errors import AccessError
from detector.history.history_paths import writing_path
from detector.web.access.password import PasswordFile, password_path
from detector.web.access.policy import AccessPolicy
from detector.wire.access import Access, read_keys


def access_policy(web: WebSettings) -> AccessPolicy:
    """Who may reach the page; beyond loopback also under this machine's own name."""
    policy = AccessPolicy(
        bind=web.bind,
        certificate=web.certificate,
        key=web.key,
        insecure=web.insecure,
        proxies=tuple(ipaddress.ip_network(proxy) for proxy in web.proxy),
        hosts=frozenset(host.lower() for host in web.hosts),
        guests=web.guests,
        read_only=web.read_only,
        session_days=web.session_days,
    )
    if policy.is_local:
        return policy
    own = socket.gethostname().lower()
    return replace(policy, hosts=policy.hosts | {own, f"{own.partition('.')[0]}.local"})


def password_file(web: WebSettings, environ: Mapping[str, str]) -> PasswordFile:
    """The file with the password's hash."""
    state = writing_path(None, environ).parent
    return PasswordFile(password_path(web.password_file, environ, state))


def page_faults(web: WebSettings, environ: Mapping[str, str]) -> Iterator[str]:
    """Why the page would not start with these settings; nothing where it is left as it is."""
    if web == WebSettings():
        return
    try:
        policy = access_policy(web)
        policy.check(password_set=password_file(web, environ).read() is not None)
        read_keys(Access(certificate=policy.certificate, key=policy.key))
    except AccessError as error:
        yield str(error).removeprefix("web: ")
