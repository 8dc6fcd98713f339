"""Where an audience is brought to: a folder, anything that fsspec can write, or a webhook. A half is never taken for a whole.

    <folder or URL>/<audience>/<delivery id>/members.parquet    everybody
                                             added.parquet      who was not in the delivery before
                                             removed.parquet    who was, and is no longer
                                             manifest.json      counts and checksums: written last, so without it nothing is there
    <folder or URL>/<audience>/latest.json                      which delivery is the last one, by its manifest and the checksum of that

A webhook is sent the same in batches, who is removed first, and the manifest as the last message.
"""

import errno
import hashlib
import ipaddress
import json
import os
import time
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any, Protocol, TypeVar
from urllib.parse import SplitResult, urlsplit, urlunsplit

from orchestration.delivery.parcel import Parcel, as_json, file_sha256
from orchestration.errors import DeliveryFailed, UnusableInput
from orchestration.files import copy_file

MANIFEST_FILE = "manifest.json"
LATEST_FILE = "latest.json"
TOKEN_VARIABLE = "SEGMENTS_WEBHOOK_TOKEN"  # noqa: S105 - the name of it
# Seconds before a file is tried once more. Requests to a webhook are repeated by urllib3, with its own growing pauses.
RETRY_PAUSES = (0.5, 2.0, 8.0)
WEBHOOK_RETRIES = 5
WEBHOOK_PAUSE_FACTOR = 0.5
WEBHOOK_TIMEOUT = (10, 60)
TRANSIENT_STATUSES = (408, 425, 429, 500, 502, 503, 504)
BATCH_SIZE = 1000
PERMANENT_ERRORS = frozenset({errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.ENAMETOOLONG})

Result = TypeVar("Result")


class Destination(Protocol):
    """Where parcels go."""

    shown: str
    """The address, for people and for the record."""
    id: str
    """Two destinations are the same when this is."""
    format: str
    """How the keys are written there."""

    def send(self, parcel: Parcel) -> str:
        """Bring it there, the manifest last; returns where to find that.

        Raises UnusableInput when the destination refuses it, DeliveryFailed when it cannot be reached.
        """


def open_destination(address: str, file_format: str | None = None) -> Destination:
    """The destination of an address: a folder, a URL of fsspec, or an http(s) URL. Nothing is written.

    Raises UnusableInput for a URL with a secret in it, a protocol that nothing here can write, or a format where there is none.
    """
    url = urlsplit(address)
    if "://" not in address:
        return FileDestination(str(Path(address).resolve()), file_format or "parquet")
    if url.password is not None:
        raise UnusableInput(f"{_without_secrets(url)} has a password in it, which would be seen and recorded: leave it to the environment")
    if url.scheme in ("http", "https"):
        if file_format is not None:
            raise UnusableInput("--format is for files: a webhook is sent JSON")
        return Webhook(address)
    return FileDestination(address, file_format or "parquet")


def _without_secrets(url: SplitResult) -> str:
    host = url.netloc.rpartition("@")[2]
    return urlunsplit((url.scheme, host, url.path, "", ""))


def _identity(address: str) -> str:
    return hashlib.sha256(address.rstrip("/").encode()).hexdigest()[:16]


class FileDestination:
    """A folder, or a URL that fsspec writes to."""

    def __init__(self, address: str, file_format: str) -> None:
        """Find what writes there; nothing is written."""
        import fsspec

        url = urlsplit(address) if "://" in address else None
        self.shown = _without_secrets(url) if url else address
        self.format = file_format
        try:
            self._files, self._root = fsspec.core.url_to_fs(address)
        except ImportError as error:
            raise UnusableInput(
                f"{self.shown} needs a driver that is not installed ({error}): `pip install` it beside this project"
            ) from error
        except ValueError as error:
            known = "file, memory, s3, gs, abfs, sftp"
            raise UnusableInput(
                f"nothing can write to {self.shown} ({error}): use a folder, or a URL like {known}, http or https"
            ) from error

        # A folder is the same destination however it is written.
        self.id = _identity(str(self._root) if self._is_local else address)

    @property
    def _is_local(self) -> bool:
        from fsspec.implementations.local import LocalFileSystem

        return isinstance(self._files, LocalFileSystem)

    def send(self, parcel: Parcel) -> str:
        """Write the files, then their manifest, then which delivery is the last."""
        audience = PurePosixPath(self._root) / parcel.audience_id
        folder = audience / parcel.delivery_id
        manifest = folder / MANIFEST_FILE
        self._try(lambda: self._files.makedirs(str(folder), exist_ok=True))
        # An attempt that is taken up again is no delivery until it has ended.
        self._try(lambda: self._files.rm(str(manifest)) if self._files.exists(str(manifest)) else None)
        files = []
        with TemporaryDirectory(prefix="segments-delivery-") as temporary:
            for name in parcel.lists:
                path = parcel.write(name, self.format, Path(temporary))
                self._put(path, folder / path.name)
                files.append(
                    {
                        "list": name,
                        "name": path.name,
                        "format": self.format,
                        "columns": [{"name": parcel.key, "type": "string"}],
                        "rows": parcel.rows[name],
                        "bytes": path.stat().st_size,
                        "sha256": file_sha256(path),
                    }
                )
            content = as_json({**parcel.manifest, "files": files})
            self._put_bytes(content, manifest, Path(temporary))
            latest = {
                "delivery_id": parcel.delivery_id,
                "manifest": f"{parcel.delivery_id}/{MANIFEST_FILE}",
                "manifest_sha256": hashlib.sha256(content).hexdigest(),
            }
            self._put_bytes(as_json(latest), audience / LATEST_FILE, Path(temporary))
        return str(self._files.unstrip_protocol(str(manifest))) if not self._is_local else str(manifest)

    def _put_bytes(self, content: bytes, target: PurePosixPath, temporary: Path) -> None:
        path = temporary / target.name
        path.write_bytes(content)
        self._put(path, target)

    def _put(self, path: Path, target: PurePosixPath) -> None:
        """A file under its name, whole: on this machine by renaming, elsewhere as stores put objects. Its size is read back."""
        if self._is_local:
            self._try(lambda: copy_file(path, Path(target)))
        else:
            self._try(lambda: self._files.put_file(str(path), str(target)))
            self._try(lambda: self._files.invalidate_cache(str(target.parent)))
        written = self._try(lambda: self._files.info(str(target)))["size"]
        if written != path.stat().st_size:
            raise DeliveryFailed(f"{self.shown} holds {written} bytes of {target.name} instead of {path.stat().st_size}: deliver again")

    def _try(self, action: Callable[[], Result]) -> Result:
        """Do it, and once more after each pause where the failure may pass."""
        for pause in (*RETRY_PAUSES, None):
            try:
                return action()
            except Exception as error:  # drivers have errors of their own
                if _is_permanent(error):
                    raise UnusableInput(
                        f"{self.shown} cannot be written ({_in_words(error)}): choose another place, or allow it"
                    ) from error
                if pause is None:
                    raise DeliveryFailed(
                        f"{self.shown} could not be reached ({_in_words(error)}): the same command takes it up again"
                    ) from error
                time.sleep(pause)
        raise AssertionError("unreachable")


def _is_permanent(error: Exception) -> bool:
    """Whether it would fail again: the operating system's way of saying no, which drivers of stores use as well, or no OSError at all."""
    permanent = (PermissionError, FileNotFoundError, FileExistsError, NotADirectoryError, IsADirectoryError)
    return not isinstance(error, OSError) or isinstance(error, permanent) or error.errno in PERMANENT_ERRORS


def _in_words(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


class Webhook:
    """An http(s) URL that takes batches of keys as JSON by POST, each with an idempotency key, and then the manifest."""

    format = "json"

    def __init__(self, address: str) -> None:
        """Look at the address; nothing is sent. Raises UnusableInput where a token would travel for everybody to read."""
        url = urlsplit(address)
        self.shown = _without_secrets(url)
        self.id = _identity(address)
        self._address = address
        if not url.hostname:
            raise UnusableInput(f"{self.shown} names no host")
        if os.environ.get(TOKEN_VARIABLE) and url.scheme == "http" and not _is_this_machine(url.hostname):
            raise UnusableInput(f"{self.shown} would be sent {TOKEN_VARIABLE} unencrypted: use https")

    def send(self, parcel: Parcel) -> str:
        """Post who is removed, then who is added (or everybody), then the manifest: what comes before it is not yet a delivery."""
        import requests
        from requests.adapters import HTTPAdapter
        from urllib3.util import Retry

        retry = Retry(
            total=WEBHOOK_RETRIES,
            backoff_factor=WEBHOOK_PAUSE_FACTOR,
            status_forcelist=TRANSIENT_STATUSES,
            # A POST may be repeated here: its idempotency key says that it is the same.
            allowed_methods={"POST"},
            raise_on_status=False,
        )
        lists = ("removed", "members" if parcel.everything else "added")
        totals = [-(-parcel.rows[name] // BATCH_SIZE) for name in lists]
        sent: list[dict[str, Any]] = []
        with requests.Session() as session:
            for scheme in ("http://", "https://"):
                session.mount(scheme, HTTPAdapter(max_retries=retry))
            for name in lists:
                for keys in parcel.batches(name, BATCH_SIZE):
                    number = len(sent) + 1
                    document = {**parcel.delivery, "kind": name, "batch": number, "batches": sum(totals), "key": parcel.key, "keys": keys}
                    content = json.dumps(document, ensure_ascii=False).encode()
                    self._post(session, content, f"{parcel.delivery_id}:{number}")
                    sent.append({"batch": number, "kind": name, "keys": len(keys), "sha256": hashlib.sha256(content).hexdigest()})
            manifest = {**parcel.manifest, "kind": "manifest", "batches": sent}
            self._post(session, as_json(manifest), f"{parcel.delivery_id}:manifest")
        return self.shown

    def _post(self, session: Any, content: bytes, idempotency_key: str) -> None:
        import requests

        headers = {"Content-Type": "application/json", "Idempotency-Key": idempotency_key}
        try:
            # A redirect would carry the token to wherever it points.
            response = session.post(
                self._address, data=content, headers=headers, auth=_authorise, timeout=WEBHOOK_TIMEOUT, allow_redirects=False
            )
        except requests.RequestException as error:
            raise DeliveryFailed(
                f"{self.shown} could not be reached ({type(error).__name__}): the same command takes it up again"
            ) from error
        if response.status_code in TRANSIENT_STATUSES or response.status_code >= 500:
            raise DeliveryFailed(
                f"{self.shown} answered {response.status_code} {WEBHOOK_RETRIES + 1} times: the same command takes it up again"
            )
        if not 200 <= response.status_code < 300:
            raise UnusableInput(
                f"{self.shown} refused the delivery with {response.status_code}: look at the address and at {TOKEN_VARIABLE}"
            )


def _authorise(request: Any) -> Any:
    """Put the token of the environment on a request. Given as a function, requests looks for no other credentials on this machine."""
    if token := os.environ.get(TOKEN_VARIABLE):
        request.headers["Authorization"] = f"Bearer {token}"
    return request


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
