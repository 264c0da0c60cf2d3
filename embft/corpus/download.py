"""The one document that embft fetches by address: the filing of the published article."""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
from pathlib import Path

from embft import __version__
from embft.damaged import locked, make_folder, remove
from embft.errors import CorpusError
from embft.files import file_digest, sync, write_text

logger = logging.getLogger(__name__)

_REMEDIES = (
    "Do one of these:\n"
    "  - get the file another way and say where it is: corpus.path=FILE.pdf\n"
    "  - try again later\n"
    "  - behind a proxy, set HTTPS_PROXY (and SSL_CERT_FILE for its certificate)"
)


def fetch_document(url: str, sha256: str | None, cache_dir: Path, timeout: float = 60.0) -> Path:
    """Returns the local copy of a file, downloading it once into ``<cache_dir>/downloads``.

    Args:
        url: Its address.
        sha256: What its bytes must hash to; None takes what comes.
        cache_dir: The cache's root; processes that share it wait for each other.
        timeout: Seconds without a byte before the server counts as unreachable.

    Raises:
        CorpusError: The server cannot be reached or gives another file; nothing is kept.
    """
    folder = cache_dir / "downloads"
    name = hashlib.sha256(url.encode()).hexdigest()[:8] + "-" + (Path(url.split("?")[0]).name or "document")
    target = folder / name
    make_folder(folder, cache_dir)
    seal = folder / f".{name}.sha256"
    with locked(folder / f".{name}.lock"):
        if os.path.lexists(target):
            if _is_whole(target, sha256 or _sealed(seal)):
                return target
            logger.warning("%s is not the file that it should be, or damaged: it is downloaded again.", target)
        descriptor, unfinished = tempfile.mkstemp(dir=folder, prefix=f".{name}.")
        os.close(descriptor)
        try:
            _download(url, Path(unfinished), timeout)
            actual = file_digest(Path(unfinished))
            if sha256 is not None and actual != sha256:
                raise CorpusError(
                    f"{url} is not the file it was: sha256 {actual} instead of {sha256}. Nothing was kept. {_REMEDIES}\n"
                    f"  - if you trust the new file: corpus.sha256={actual}"
                )
            Path(unfinished).chmod(0o644)
            sync(Path(unfinished))
            remove(seal)
            if target.is_dir():
                remove(target)
            Path(unfinished).replace(target)
            write_text(seal, actual)
        finally:
            Path(unfinished).unlink(missing_ok=True)
    return target


def _sealed(seal: Path) -> str | None:
    """The digest of a download when it came, if that is known."""
    try:
        return seal.read_text(encoding="ascii")
    except (OSError, ValueError):
        return None


def _is_whole(target: Path, digest: str | None) -> bool:
    try:
        return target.is_file() and (digest is None or file_digest(target) == digest)
    except OSError:
        return False


def _download(url: str, target: Path, timeout: float) -> None:
    import httpx

    headers = {"User-Agent": f"embft/{__version__}"}
    try:
        with httpx.stream("GET", url, headers=headers, follow_redirects=True, timeout=timeout) as response:
            response.raise_for_status()
            with target.open("wb") as file:
                for block in response.iter_bytes():
                    file.write(block)
    except httpx.HTTPStatusError as error:
        raise CorpusError(
            f"{url} cannot be downloaded: the server answered {error.response.status_code}. {_REMEDIES}"
        ) from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise CorpusError(f"{url} cannot be downloaded ({type(error).__name__}: {error}). {_REMEDIES}") from None
