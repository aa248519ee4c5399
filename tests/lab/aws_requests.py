"""What a request to AWS asks for: the service, operation and region behind its bytes, by AWS's own models."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

import botocore.session
from botocore.exceptions import UnknownServiceError
from botocore.model import OperationModel, ServiceModel

_SCOPE = re.compile(r"Credential=[^/]+/\d{8}/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")
_SIGNED_AS = {
    "apigateway": ("apigateway", "apigatewayv2"),
    "access-analyzer": ("accessanalyzer",),
    "elasticfilesystem": ("efs",),
    "elasticloadbalancing": ("elbv2", "elb"),
    "es": ("opensearch", "es"),
    "monitoring": ("cloudwatch",),
    "rds": ("rds",),
    "s3": ("s3control", "s3"),
    "ses": ("sesv2", "ses"),
    "states": ("stepfunctions",),
    "sso": ("sso-admin",),
    "waf": ("waf",),
    "elasticmapreduce": ("emr",),
    "airflow": ("mwaa",),
}
"""The services that share a signing name, where it is not their own."""
_SESSION = botocore.session.Session()


@dataclass(frozen=True)
class Asked:
    """One request that came in; all empty where nothing is known of it."""

    service: str
    operation: str
    region: str


def asked(method: str, path: str, headers: dict[str, str], body: bytes) -> Asked:
    """What the request asks for. Names are those of botocore; an unknown one is empty."""
    low = {name.lower(): value for name, value in headers.items()}
    scope = _SCOPE.search(low.get("authorization", ""))
    if not scope:
        return Asked("", "", "")
    region = scope["region"]
    for service in services(scope["service"]):
        if operation := _operation(service, method, path, low, body):
            return Asked(service, operation, region)
    return Asked(scope["service"], "", region)


def parameters(path: str, headers: dict[str, str], body: bytes) -> str:
    """All that the request says of what it is about, as one text to look for names in."""
    return f"{unquote(path)}\n{unquote(body.decode('utf-8', 'replace').replace('+', ' '))}"


def services(signed_as: str) -> tuple[str, ...]:
    """The services that a signing name may stand for, by botocore's names."""
    return _SIGNED_AS.get(signed_as, (signed_as,))


@cache
def model(service: str) -> ServiceModel:
    """AWS's own description of a service."""
    return _SESSION.get_service_model(service)


def operation(service: str, name: str) -> OperationModel:
    """AWS's own description of an operation."""
    return model(service).operation_model(name)


def _operation(service: str, method: str, path: str, low: dict[str, str], body: bytes) -> str:
    if target := low.get("x-amz-target"):
        return _known(service, target.rpartition(".")[2])
    parts = urlsplit(path)
    if rpc := re.fullmatch(r"/service/[^/]+/operation/(\w+)", parts.path):
        return _known(service, rpc[1])
    if action := parse_qs(body.decode("utf-8", "replace")).get("Action") or parse_qs(parts.query).get(
        "Action"
    ):
        version = parse_qs(body.decode("utf-8", "replace")).get("Version", [""])[0]
        own = str(model(service).metadata.get("apiVersion", ""))
        return _known(service, action[0]) if not version or version == own else ""
    asked_for = dict(parse_qsl(parts.query, keep_blank_values=True))
    for verb, pattern, literals, name in _routes(service):
        if verb != method or not pattern.fullmatch(parts.path):
            continue
        if all(asked_for.get(key) == value for key, value in literals.items()):
            return name
    return ""


def _known(service: str, name: str) -> str:
    return name if name in _operations(service) else ""


@cache
def _operations(service: str) -> frozenset[str]:
    """The operations of a service; none of one that botocore does not know."""
    try:
        return frozenset(model(service).operation_names)
    except UnknownServiceError:
        return frozenset()


@cache
def _routes(service: str) -> tuple[tuple[str, re.Pattern[str], dict[str, str], str], ...]:
    """The operations of a service that is asked by paths, the most special ones first."""
    found: list[tuple[tuple[int, int], tuple[str, re.Pattern[str], dict[str, str], str]]] = []
    # In the order of their names: of two that fit a request as well, always the same one.
    for name in sorted(_operations(service)):
        http: Any = operation(service, name).http
        uri = str(http.get("requestUri", ""))
        if not uri:
            continue
        path, _, query = uri.partition("?")
        literals = dict(parse_qsl(query, keep_blank_values=True))
        # Some places have a hyphen in their name, which `re.escape` writes with a backslash.
        text = re.sub(r"\\{[\w\\-]+\\\+\\}", r".+", re.escape(path))
        text = re.sub(r"\\{[\w\\-]+\\}", r"[^/]+", text)
        pattern = re.compile(text.rstrip("/") + "/?")
        plain = len(re.sub(r"\{[^}]*\}", "", path))
        found.append(((-len(literals), -plain), (str(http["method"]), pattern, literals, name)))
    return tuple(route for _, route in sorted(found, key=lambda one: one[0]))


def error(asked_for: Asked, status: int, code: str, message: str) -> tuple[int, dict[str, str], bytes]:
    """An error in the words of the service: status, headers and body."""
    known = _operations(asked_for.service)
    protocol = model(asked_for.service).resolved_protocol if known else "query"
    if "json" in protocol or "cbor" in protocol:
        headers = {"Content-Type": "application/json", "x-amzn-ErrorType": code}
        return status, headers, json.dumps({"__type": code, "message": message}).encode()
    inner = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    if protocol == "ec2":
        text = f"<Response><Errors>{inner}</Errors><RequestID>1</RequestID></Response>"
    elif asked_for.service == "s3":
        text = inner
    else:
        text = f"<ErrorResponse>{inner}<RequestId>1</RequestId></ErrorResponse>"
    return status, {"Content-Type": "text/xml"}, text.encode()
