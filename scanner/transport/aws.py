"""Speaks to the AWS API: one account, reads only, every failure sorted into what it means.

Credentials come from botocore alone: a profile or the default chain, so that SSO, assumed roles with an
external id, containers and instances work as they do for the AWS CLI. Nothing here keeps one.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, partial
from ipaddress import ip_address
from itertools import islice
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import boto3
import botocore.session
from botocore import exceptions as aws
from botocore import xform_name
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
from botocore.model import OperationModel
from botocore.parsers import ResponseParserError

from scanner.collect.collector import CollectError, Context, Failure
from scanner.transport.aws_errors import Because, Refused, Sent, meaning, no_credentials
from scanner.transport.aws_models import DeclaredModels
from scanner.transport.secrets import Secret

CONNECT_SECONDS = 5.0
SESSION_NAME = "bartizan"
"""Under which an assumed role shows up in the account's own record."""
_MORE = frozenset(
    {
        "hasmore",
        "hasmoreresults",
        "istruncated",
        "lastevaluatedtablename",
        "marker",
        "nextmarker",
        "nextpagemarker",
        "nextpagetoken",
        "nexttoken",
        "paginationtoken",
        "truncated",
    }
)
"""How answers say that there is more to read, in small letters."""
MAX_PAGES = 10_000
"""Pages of one list that are read at most; a list that goes on is not taken as read."""

FORBIDDEN = frozenset(
    {
        "AssumeRole",
        "BatchGetItem",
        "BatchGetSecretValue",
        "Decrypt",
        "FilterLogEvents",
        "GenerateDataKey",
        "GetAuthorizationToken",
        "GetFederationToken",
        "GetItem",
        "GetLogEvents",
        "GetObject",
        "GetParameter",
        "GetParameters",
        "GetParametersByPath",
        "GetPasswordData",
        "GetRecords",
        "GetRoleCredentials",
        "GetSecretValue",
        "GetSessionToken",
        "ReceiveMessage",
        "ReEncrypt",
        "SelectObjectContent",
    }
)
"""Operations that no declaration can allow: they hand out secrets, credentials or stored data."""

_READING = ("Describe", "Get", "List", "GenerateCredentialReport")
_ALSO_READING = frozenset({("codebuild", "BatchGetProjects")})
"""Calls of another name that read all the same. Most that are called BatchGet hand out data or secrets and
stay out; this one hands out how projects are set up, and there is no other way to learn it."""
_FIRST_REGION = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}


@dataclass(frozen=True)
class AwsAccess:
    """How to reach one account.

    `profile` names a profile of the AWS configuration (empty: the default chain). `regions` are the
    regions to look at (empty: all that are enabled). `account` is the id that the credentials must lead
    to. `role` is assumed with those credentials, by its ARN or, in `account`, by its name; `external_id`
    goes with it. `endpoint` replaces all endpoints (empty: `AWS_ENDPOINT_URL`, else AWS). `total_seconds`
    bounds the whole collection, `read_seconds` each wait for an answer; `attempts` counts the first try too.
    """

    profile: str = ""
    regions: tuple[str, ...] = ()
    account: str = ""
    role: str = ""
    external_id: Secret | None = None
    endpoint: str = ""
    total_seconds: float = 600
    workers: int = 16
    read_seconds: float = 30
    attempts: int = 6


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the credentials are: the account, its partition, the ARN, and the region of global calls."""

    account: str
    partition: str
    arn: str
    home: str


class ForbiddenCall(RuntimeError):  # noqa: N818 - named for what happened
    """A call that no collector declared was stopped before anything was sent."""


class Aws:
    """An open way into one account. Only the `allowed` (service, operation) pairs are ever sent."""

    def __init__(self, access: AwsAccess, allowed: frozenset[tuple[str, str]], context: Context) -> None:
        """Opens the session; sends nothing.

        Raises:
            CollectError: the profile is not there or cannot be read, or a region has no such name.
            ValueError: an allowed operation does more than read.

        """
        for service, operation in sorted(allowed):
            reads = operation.startswith(_READING) or (service, operation) in _ALSO_READING
            if operation in FORBIDDEN or not reads:
                raise ValueError(f"{service} {operation} is not a call that only reads")
        self._access = access
        self._allowed = allowed
        self._context = context
        self._until = time.monotonic() + access.total_seconds
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._slots = threading.BoundedSemaphore(max(1, access.workers))
        self._clients: dict[tuple[str, str], Any] = {}
        try:
            self._session = boto3.Session(
                profile_name=access.profile or None, botocore_session=_session(allowed)
            )
            # Botocore looks for the profile with the first credentials that it needs, and that may be late.
            if access.profile and access.profile not in self._session.available_profiles:
                raise aws.ProfileNotFound(profile=access.profile)
            self._home = self._home_region()
            if access.role:
                self._session = self._in_the_role()
        except aws.BotoCoreError as error:
            raise no_credentials(error, access.profile) from None

    @property
    def seconds_left(self) -> float:
        """What is left of the time budget, in seconds; below 0 once it is used up."""
        return self._until - time.monotonic()

    @property
    def stopped(self) -> bool:
        """Whether no further call is sent because `stop` was called."""
        return self._stopped.is_set()

    def stop(self) -> None:
        """Lets no further call out; those under way end by themselves."""
        self._stopped.set()

    def identify(self) -> Identity:
        """Asks STS who the credentials are.

        Raises:
            CollectError: no or bad credentials, a skewed clock, no way to AWS, or another account.

        """
        try:
            answer = self.call("sts", self._home, "GetCallerIdentity")
        except Refused as error:
            failure = {
                Because.DENIED: Failure.AUTHENTICATION,
                Because.THROTTLED: Failure.THROTTLED,
                Because.NETWORK: Failure.UNREACHABLE,
                Because.TIME: Failure.TIMEOUT,
            }.get(error.because, Failure.PROTOCOL)
            raise CollectError(failure, f"AWS does not say who we are: {error.reason}") from None
        account, arn = str(answer.get("Account", "")), str(answer.get("Arn", ""))
        if not account:
            raise CollectError(Failure.PROTOCOL, "AWS does not say who we are: the answer names no account")
        if self._access.account and account != self._access.account:
            raise CollectError(
                Failure.OUT_OF_SCOPE,
                f"the credentials lead to account {account}, not to {self._access.account}; nothing was read",
                needs=f"credentials of account {self._access.account}",
            )
        named = arn.split(":")[1] if arn.count(":") >= 5 else ""
        partition = named or self._session.get_partition_for_region(self._home)
        return Identity(account, partition, arn, self._home)

    def call(self, service: str, region: str, operation: str, **parameters: object) -> Mapping[str, Any]:
        """The answer to one call.

        Raises:
            Refused: this call gave nothing; others may.
            CollectError: nothing more will come (expired or bad credentials, a skewed clock, a stop).
            ForbiddenCall: nobody declared this call; nothing was sent.

        """
        self._declared(service, operation)
        client = self._client(service, region)
        with self._sending(operation, region):
            answer: Mapping[str, Any] = getattr(client, xform_name(operation))(**parameters)
            return answer

    def pages(
        self, service: str, region: str, operation: str, **parameters: object
    ) -> Sequence[Mapping[str, Any]]:
        """All pages of one list, or none: a page that fails fails the whole list.

        Raises:
            Refused: as `call`.
            CollectError: as `call`.
            ForbiddenCall: as `call`.

        """
        self._declared(service, operation)
        client = self._client(service, region)
        name = xform_name(operation)
        if not client.can_paginate(name):
            # Botocore does not turn these pages: one that says there is more is a part, and no list.
            only = self.call(service, region, operation, **parameters)
            if more := _goes_on(only):
                raise Refused(Because.UNREADABLE, f"the list goes on after its first page ({more})")
            return [only]
        found: list[Mapping[str, Any]] = []
        pages = iter(client.get_paginator(name).paginate(**parameters))
        while len(found) <= MAX_PAGES:
            with self._sending(operation, region):
                page = list(islice(pages, 1))
            if not page:
                return found
            found += page
        raise Refused(Because.UNREADABLE, f"the list goes on after {MAX_PAGES:,} pages")

    def _client(self, service: str, region: str) -> Any:
        # A botocore session is not safe to make clients from in several threads; its clients are.
        with self._lock:
            if (service, region) not in self._clients:
                self._clients[service, region] = self._new_client(service, region)
            return self._clients[service, region]

    def _new_client(self, service: str, region: str) -> Any:
        access = self._access
        replaced = access.endpoint or os.environ.get("AWS_ENDPOINT_URL")
        config = Config(
            connect_timeout=min(CONNECT_SECONDS, access.read_seconds),
            read_timeout=access.read_seconds,
            retries={"mode": "adaptive", "total_max_attempts": max(1, access.attempts)},
            max_pool_connections=max(1, access.workers),
            user_agent_extra="bartizan",
            # A bucket's name in front of the host name only resolves under the endpoints of AWS.
            s3={"addressing_style": "path"} if replaced else None,
        )
        make: Any = self._session.client
        try:
            client = make(service, region_name=region, endpoint_url=access.endpoint or None, config=config)
        except (aws.BotoCoreError, ValueError) as error:
            raise no_credentials(error, access.profile) from None
        events = client.meta.events
        events.register_first("before-call", self._guard)
        events.register("before-parse", _refuse_broken_json)
        events.register_first("before-sign.s3-control", _keep_address)
        return client

    def _guard(self, model: OperationModel, **_: object) -> None:
        # What botocore asks for by itself comes by here, too.
        self._declared(str(model.service_model.service_name), model.name)

    def _declared(self, service: str, operation: str) -> None:
        if operation in FORBIDDEN or (service, operation) not in self._allowed:
            raise ForbiddenCall(
                f"{service} {operation} was stopped: no collector declares it, "
                "and Bartizan only reads settings"
            )

    @contextmanager
    def _sending(self, operation: str, region: str) -> Iterator[None]:
        access = self._access
        self._context.check()
        if self.stopped:
            raise CollectError(Failure.INTERRUPTED, f"stopped before {operation}")
        if self.seconds_left <= 0 or not self._slots.acquire(timeout=self.seconds_left):
            budget = f"the time budget of {access.total_seconds:g} s ended before {operation}"
            raise Refused(Because.TIME, budget)
        try:
            yield
        except Exception as error:
            call = Sent(
                operation, region, access.profile, access.attempts, access.read_seconds, self._context.clock
            )
            found = meaning(error, call)
            if found is None:
                raise
            raise found from None
        finally:
            self._slots.release()

    def _in_the_role(self) -> boto3.Session:
        """A session that assumes the role when it is first used, and again before that ends."""
        access, own = self._access, self._session
        arn = access.role
        if not arn.startswith("arn:"):
            partition = own.get_partition_for_region(self._home)
            arn = f"arn:{partition}:iam::{access.account}:role/{arn}"
        details = {"RoleSessionName": SESSION_NAME}
        if access.external_id is not None:
            details["ExternalId"] = access.external_id.reveal()
        make: Any = own.client
        source: Any = own.get_credentials()
        if source is None:
            raise aws.NoCredentialsError
        config = Config(
            connect_timeout=min(CONNECT_SECONDS, access.read_seconds),
            read_timeout=access.read_seconds,
            retries={"mode": "standard", "total_max_attempts": max(1, access.attempts)},
        )
        client = partial(make, region_name=self._home, endpoint_url=access.endpoint or None, config=config)
        fetcher = AssumeRoleCredentialFetcher(client, source, arn, extra_args=details)
        # Why a role was refused is told once, in our words, and not as a traceback on the terminal.
        logging.getLogger("botocore.credentials").setLevel(logging.CRITICAL)
        assumed: Any = DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")
        session: Any = _session(self._allowed)
        session._credentials = assumed
        return boto3.Session(botocore_session=session, region_name=self._home)

    def _home_region(self) -> str:
        wanted = self._access.regions
        known = known_regions()
        for name in wanted:
            if missing := no_region(name):
                raise CollectError(Failure.OUT_OF_SCOPE, missing)
        partitions = {known[name] for name in wanted}
        if len(partitions) > 1:
            names = ", ".join(sorted(partitions))
            raise CollectError(Failure.OUT_OF_SCOPE, f"one account is in one partition, not in {names}")
        own = self._session.region_name or ""
        if own in known and partitions <= {known[own]}:
            return own
        partition = next(iter(partitions), "aws")
        return _FIRST_REGION.get(partition, wanted[0] if wanted else "us-east-1")


def _goes_on(answer: Mapping[str, Any]) -> str:
    """The field by which an answer says that there is more to read; empty where it says no such thing."""
    return next((name for name, value in answer.items() if value and name.lower() in _MORE), "")


def no_region(name: str) -> str:
    """That there is no region of that name, and the nearest one; empty where there is one."""
    known = known_regions()
    if name in known:
        return ""
    close = get_close_matches(name, known, n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    return f"there is no AWS region {name}{hint}"


def _session(allowed: frozenset[tuple[str, str]]) -> botocore.session.Session:
    session = botocore.session.Session()
    models = DeclaredModels(allowed, session.get_config_variable("data_path"))
    session.register_component("data_loader", models)
    return session


@cache
def known_regions() -> Mapping[str, str]:
    """The partition of each region that the AWS SDK knows."""
    # Without a profile: whether the one of the environment exists is another question.
    session = botocore.session.Session(session_vars={"profile": (None, None, None, None)})
    return {
        name: partition
        for partition in session.get_available_partitions()
        for name in session.get_available_regions("ec2", partition)
    }


def _refuse_broken_json(
    operation_model: OperationModel, response_dict: Mapping[str, Any], **_: object
) -> None:
    # botocore reads JSON that was cut short as an empty answer, which would look like an empty account.
    body = response_dict.get("body") or b""
    if "json" not in str(operation_model.service_model.metadata.get("protocol", "")):
        return
    if response_dict.get("status_code", 500) >= 300 or not isinstance(body, bytes):
        return
    try:
        json.loads(body)
    except ValueError:
        raise ResponseParserError("the JSON of the answer is cut short") from None


def _keep_address(request: AWSRequest, **_: object) -> None:
    # The rules of S3 Control put the account in front of the host name, also where that is an address.
    parts = urlsplit(str(request.url))
    host = (parts.hostname or "").partition(".")[2]
    if host != "localhost":
        try:
            ip_address(host)
        except ValueError:
            return
    port = f":{parts.port}" if parts.port else ""
    request.url = urlunsplit((parts.scheme, host + port, parts.path, parts.query, parts.fragment))
