"""A page that starts the mails, and says how far they are."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime

from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue

from cardoon import AsyncResult
from tasks import addresses, send_email

app = Flask(__name__)

PAGE = """<!doctype html>
<title>Mails</title>
<p>This button sends a POST request, because a GET must change nothing: browsers, previews and search engines
follow links on their own, and each visit would send a thousand mails.</p>
<form method="post" action="/send"><button>Send the mails</button></form>
"""


@dataclass
class Batch:
    """The mails of one request, by where they stand."""

    waiting: list[AsyncResult[str]]
    sent: int = 0
    failed: list[str] = field(default_factory=list)

    def look(self) -> dict[str, object]:
        """Asks for those that had not ended when it was asked last."""
        still_waiting = []
        for result in self.waiting:
            if not result.ready():
                still_waiting.append(result)
            elif result.successful():
                self.sent += 1
            else:
                self.failed.append(result.id)
        self.waiting = still_waiting
        return {"sent": self.sent, "waiting": len(self.waiting), "failed": self.failed}


#: Of this process. Whoever wants to ask after a restart keeps the tasks' ids in a database.
batches: dict[str, Batch] = {}


@app.get("/")
@app.get("/send")
def page() -> ResponseReturnValue:
    return PAGE


@app.post("/send")
def send() -> ResponseReturnValue:
    """Starts a mail to each user; with the field `at`, such as 2030-01-31T08:00, not before that time."""
    at = request.form.get("at")
    try:
        eta = datetime.fromisoformat(at).astimezone() if at else None
    except ValueError:
        return jsonify(error=f"{at!r} is no time; write it like 2030-01-31T08:00"), 400
    results = send_email.send_many(((address,) for address in addresses()), eta=eta)
    batch = str(uuid.uuid4())
    batches[batch] = Batch(results)
    return jsonify(submitted=len(results), id=batch), 202


@app.get("/progress")
def progress() -> ResponseReturnValue:
    batch = batches.get(request.args.get("id", ""))
    if batch is None:
        return jsonify(error="there is no such id; POST /send answers one"), 404
    return jsonify(batch.look())


if __name__ == "__main__":
    app.run()
