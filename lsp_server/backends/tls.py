"""Whom to trust: the system's certificates, the environment's and those of the settings. Sends nothing."""

from __future__ import annotations

import logging
import os
import ssl
from functools import cache
from pathlib import Path

from lsp_server import own_folders
from lsp_server.errors import ConfigurationError

log = logging.getLogger(__name__)


def context(ca_file: str, *, verify: bool, name: str) -> ssl.SSLContext:
    """Return what httpx takes as `verify`; reads files, so call it on a thread.

    `name` is the backend's, for errors. Raises ConfigurationError for files that cannot be used.
    """
    if not verify:
        warn_unverified(name)
        unverified = ssl.create_default_context()
        unverified.check_hostname = False
        unverified.verify_mode = ssl.CERT_NONE
        return unverified
    import truststore

    trusted = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if ca_file:
        _load(trusted, f"backends.{name}.ca_file", ca_file)
    # OpenSSL looks at these too, but not on macOS and Windows, where truststore asks the system instead.
    if in_file := os.environ.get("SSL_CERT_FILE"):
        _load(trusted, "SSL_CERT_FILE", in_file)
    for directory in os.environ.get("SSL_CERT_DIR", "").split(os.pathsep):
        if directory and Path(directory).is_dir():
            trusted.load_verify_locations(capath=directory)
    return trusted


def _load(trusted: ssl.SSLContext, said_by: str, file: str) -> None:
    path = own_folders.expanded(file)
    if not path.is_file():
        raise ConfigurationError(f"{said_by} names {path}, which is not there.")
    try:
        trusted.load_verify_locations(cafile=str(path))
    except (ssl.SSLError, OSError) as error:
        log.debug("certificates in %s: %s", path, error)
        raise ConfigurationError(
            f"{said_by} names {path}, which cannot be read as certificates in PEM."
        ) from error


@cache
def warn_unverified(name: str) -> None:
    """Log, once for each backend, that its server could be anyone."""
    log.warning("the certificate of backend %s is not checked (backends.%s.verify is false)", name, name)
