"""The signature of what is pickled: whoever does not know the token cannot have anything unpickled."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

_SIZE = hashlib.sha256().digest_size


class Forged(Exception):
    """Something is not signed with the token, or not for the call that it came with. It was not unpickled."""


class Seal:
    """Signs with a token, by HMAC-SHA256.

    ``purpose`` and ``id`` are signed too, so that what was made for one call means nothing in place of another.
    """

    def __init__(self, token: str) -> None:
        self._key = hashlib.sha256(token.encode()).digest()

    def close(self, purpose: str, id: str, body: bytes) -> bytes:
        """The body behind its signature."""
        return self.signature(purpose, id, body) + body

    def open(self, purpose: str, id: str, sealed: bytes) -> memoryview:
        """The body. Raises :class:`Forged` if somebody else has signed it, or nobody."""
        whole = memoryview(sealed)
        signature, body = whole[:_SIZE], whole[_SIZE:]
        if not hmac.compare_digest(signature, self.signature(purpose, id, body)):
            raise Forged(f"the {purpose} {id} is not signed with the token of this cluster, and was not unpickled")
        return body

    def close_as_text(self, purpose: str, id: str, body: bytes) -> str:
        """As :meth:`close`, in letters that JSON takes."""
        return base64.b64encode(self.close(purpose, id, body)).decode("ascii")

    def open_text(self, purpose: str, id: str, text: object) -> memoryview:
        """What :meth:`close_as_text` has closed. Raises :class:`Forged` for anything else, whatever it is."""
        try:
            sealed = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
        except (binascii.Error, ValueError):
            sealed = b""
        return self.open(purpose, id, sealed)

    def signature(self, purpose: str, id: str, body: bytes | memoryview) -> bytes:
        """What stands in front of a body."""
        mac = hmac.new(self._key, f"{purpose} {id}\n".encode(), "sha256")
        mac.update(body)
        return mac.digest()
