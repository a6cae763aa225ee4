"""An object store on this machine, which checks signatures."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.request import urlopen

import boto3

from helpers.ports import quiet_port
from helpers.processes import running, wait_until

#: Calls without a valid signature that the server allows: as many as it takes to make a user.
_SETUP = 3

_ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}


@dataclass(frozen=True)
class Store:
    """A running server, and a user who may do everything with objects."""

    endpoint: str
    key: str
    secret: str

    @property
    def client(self) -> Any:
        """A client of AWS's own library."""
        return _client("s3", self.endpoint, self.key, self.secret)

    @property
    def environment(self) -> dict[str, str]:
        """What programs are told of it."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_REGION": "us-east-1",
        }

    @property
    def options(self) -> dict[str, Any]:
        """The same as options of s3fs."""
        client = {"endpoint_url": self.endpoint, "region_name": "us-east-1"}
        return {"key": self.key, "secret": self.secret, "client_kwargs": client}

    def put(self, bucket: str, key: str, content: str | bytes) -> None:
        content = content.encode() if isinstance(content, str) else content
        self.client.put_object(Bucket=bucket, Key=key, Body=content)

    def get(self, bucket: str, key: str) -> bytes:
        content: bytes = self.client.get_object(Bucket=bucket, Key=key)["Body"].read()
        return content

    def keys(self, bucket: str) -> list[str]:
        return [each["Key"] for each in self.client.list_objects_v2(Bucket=bucket).get("Contents", [])]

    def uploads(self, bucket: str) -> list[str]:
        """Keys of objects of which parts are there, and which are not whole."""
        return [each["Key"] for each in self.client.list_multipart_uploads(Bucket=bucket).get("Uploads", [])]


@contextmanager
def store() -> Iterator[Store]:
    """A server, ended at the end of the block."""
    port = quiet_port()
    endpoint = f"http://127.0.0.1:{port}"
    allowed = {"INITIAL_NO_AUTH_ACTION_COUNT": str(_SETUP)}
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with running(*command, environment=os.environ | allowed) as process:
        wait_until(lambda: process.poll() is not None or _answers(endpoint), 60)
        assert process.poll() is None, "the server has not started"
        yield Store(endpoint, *_user(endpoint))


def _user(endpoint: str) -> tuple[str, str]:
    """The key and the secret of a new user."""
    iam = _client("iam", endpoint, "nobody", "nothing")
    iam.create_user(UserName="tester")
    made = iam.create_access_key(UserName="tester")["AccessKey"]
    iam.put_user_policy(UserName="tester", PolicyName="all", PolicyDocument=json.dumps(_ALL))
    return made["AccessKeyId"], made["SecretAccessKey"]


def _client(service: str, endpoint: str, key: str, secret: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
    )


def _answers(endpoint: str) -> bool:
    try:
        with urlopen(f"{endpoint}/moto-api/", timeout=5):
            return True
    except OSError:
        return False
