"""What goes wrong on the way to a gateway, as errors that say what was done and what to do."""

from __future__ import annotations

import builtins
import http.client
import json
import re
import socket
import ssl
from typing import Any, NamedTuple

from cardoon._gateway_checks import Place
from cardoon.exceptions import CardoonError, ImproperlyConfigured, NotFound, OperationalError, TimeoutError

#: So much of what is none of a gateway's answers is shown.
_SHOWN_BYTES = 60


class GatewayTimeout(OperationalError, TimeoutError):
    """The gateway, or one of its stores, did not answer in time. Both of its classes catch it."""


#: What is to be done about an error, by the kind that the gateway names.
KINDS: dict[str, type[CardoonError]] = {
    "Invalid": ImproperlyConfigured,
    "NotFound": NotFound,
    "Timeout": GatewayTimeout,
    "Unavailable": OperationalError,
}


class Request(NamedTuple):
    """A request, as far as errors tell of it."""

    place: Place
    method: str
    path: str
    has_key: bool = False

    def checked(self) -> list[str]:
        """What is known when the request was sent and its answer is not known."""
        place = f"gateway: {self.place}"
        return [place] if self.method == "GET" else [place, "whether it was done is not known"]

    def repeat(self) -> str:
        """What to do then."""
        if self.method == "GET":
            return "try again"
        if self.has_key:
            return "repeat it with the same idempotency_key: the task is not added twice"
        if self.path == "/tasks":
            return "look whether it is there before you repeat it: cardoon task list; an idempotency_key makes that safe"
        return "look at what was done before you repeat it"


class Answer(NamedTuple):
    """An answer that was read."""

    status: int
    headers: http.client.HTTPMessage
    text: bytes


def not_connected(place: Place, error: OSError) -> CardoonError:
    """There is no connection, so nothing was sent."""
    cls = GatewayTimeout if isinstance(error, builtins.TimeoutError) else OperationalError
    code, message = "CD1001", "the gateway cannot be reached"
    hint = f"find out whether {place} can be reached from here: a firewall may be in between"
    if isinstance(error, socket.gaierror):
        code, message, hint = "CD1008", f"the name {place.host} is not known", "correct the host in the URL"
    elif isinstance(error, ssl.SSLCertVerificationError):
        hint = "name the authority that signed its certificate: SSL_CERT_FILE=/path/to/ca.pem"
    elif isinstance(error, ssl.SSLError):
        hint = f"what listens there may speak no TLS: write http://{place}"
    elif isinstance(error, ConnectionRefusedError):
        hint = "start one: cardoon gateway"
    checked = [f"gateway: {place}", "nothing was sent"]
    return cls(message, code=code, kind="Unavailable", causes=[str(error)], checked=checked, hint=hint)


def not_answered(request: Request, error: Exception, secs: float, is_whole: bool = True) -> CardoonError:
    """A request was sent, or only a part of it (``is_whole``), and no answer came within ``secs`` seconds, or none that can be
    read."""
    if isinstance(error, http.client.HTTPException) and not isinstance(error, (OSError, http.client.IncompleteRead)):
        return other_service(request, f"it does not speak HTTP: {str(error) or type(error).__name__}")
    cls, message = OperationalError, "the connection broke before the gateway had answered"
    if isinstance(error, builtins.TimeoutError):
        cls, message = GatewayTimeout, f"the gateway did not answer within {secs:g} s"
    checked, hint = request.checked(), request.repeat()
    if not is_whole:
        checked, hint = [f"gateway: {request.place}", "it was not done: only a part of it could be sent"], "try again"
    cause = str(error) or type(error).__name__
    return cls(message, code="CD1005", kind="Timeout", causes=[cause], checked=checked, hint=hint)


def refused(request: Request, answer: Answer) -> CardoonError:
    """The error that an answer tells of. One that a proxy on the way wrote has no code of ours."""
    try:
        said: dict[str, Any] = json.loads(answer.text)["error"]
        kind = str(said["kind"])
        return KINDS.get(kind, CardoonError)(
            str(said["message"]),
            code=str(said["code"]),
            kind=kind,
            causes=list(said["causes"]),
            checked=list(said["checked"]),
            hint=said["hint"],
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        return _without_code(request, answer)


def _without_code(request: Request, answer: Answer) -> CardoonError:
    status = answer.status
    if status == 503:
        message = f"{request.place} takes no more requests now"
        return OperationalError(message, code="CD1001", kind="Unavailable", checked=["status: 503"], hint="try again")
    if status in (502, 504):
        cls = GatewayTimeout if status == 504 else OperationalError
        message = f"what stands before the gateway at {request.place} got no answer from it"
        checked = [f"status: {status}", *request.checked()]
        return cls(message, code="CD1005", kind="Timeout", checked=checked, hint=request.repeat())
    if status in (400, 414, 431) and not answer.text:
        # So a gateway answers what it cannot take apart.
        message = f"the gateway cannot read the request (status {status}): its path or its headers are too long"
        return ImproperlyConfigured(message, code="CD7005", kind="Invalid", hint="shorten the names and the filters")
    return no_answer_of_ours(request, answer)


def no_answer_of_ours(request: Request, answer: Answer) -> CardoonError:
    """An answer that no gateway gives: one of a proxy, or of another program."""
    media = answer.headers.get("Content-Type", "none")
    begin = answer.text[:_SHOWN_BYTES].decode("utf-8", "replace")
    leads = answer.headers.get("Location") if 300 <= answer.status < 400 else None
    found = f"status: {answer.status}, type: {media}, it begins: {begin!r}"
    if leads is None:
        return other_service(request, found)
    return other_service(request, found, f"write the URL that it leads to: {re.split('[?#]', leads, maxsplit=1)[0]}")


def other_service(request: Request, found: str, hint: str = "correct the host or the port in the URL") -> CardoonError:
    """Something answers that is no gateway. ``found``: how that shows."""
    return OperationalError(
        f"what answers at {request.place} is no gateway",
        code="CD1010",
        kind="Unavailable",
        checked=[found, *request.checked()[1:]],
        hint=hint,
    )
