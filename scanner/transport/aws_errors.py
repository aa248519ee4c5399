"""What a failed AWS call means: a hole in the picture, or the end of the collection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum

from botocore import exceptions as aws
from botocore.parsers import ResponseParserError

from scanner.collect.collector import CollectError, Failure

_DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",
        "AuthorizationErrorException",
        "Forbidden",
        "NotAuthorized",
        "UnauthorizedAccess",
        "UnauthorizedException",
        "UnauthorizedOperation",
    }
)
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"})
_SKEWED = frozenset({"RequestTimeTooSkewed", "RequestInTheFuture", "RequestExpired"})
_NOT_ACCEPTED = frozenset(
    {
        "AuthFailure",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_THROTTLED = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "Throttling",
        "ThrottledException",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
_NOT_SUBSCRIBED = frozenset({"OptInRequired", "SubscriptionRequiredException"})
_NO_CREDENTIALS = (
    aws.NoCredentialsError,
    aws.PartialCredentialsError,
    aws.CredentialRetrievalError,
    aws.ProfileNotFound,
    aws.NoAuthTokenError,
    aws.TokenRetrievalError,
    aws.UnknownCredentialError,
    aws.SSOError,
    aws.InvalidConfigError,
    aws.ConfigParseError,
    aws.ConfigNotFound,
)


class Because(StrEnum):
    """Why a call gave nothing."""

    DENIED = "denied"
    ANSWERED_NO = "answered-no"
    NOT_SUBSCRIBED = "not-subscribed"
    THROTTLED = "throttled"
    SERVICE = "service"
    UNREADABLE = "unreadable"
    NETWORK = "network"
    TIME = "time"


_AT_THE_WIRE: tuple[tuple[tuple[type[Exception], ...], Because, str], ...] = (
    ((ResponseParserError,), Because.UNREADABLE, "the answer was cut short or is not what AWS sends"),
    (
        (aws.ConnectTimeoutError, aws.ReadTimeoutError),
        Because.TIME,
        "no answer from {region} within {seconds:g} s",
    ),
    ((aws.ConnectionError,), Because.NETWORK, "no connection to the endpoint in {region}"),
    ((aws.HTTPClientError,), Because.UNREADABLE, "the connection ended within the answer"),
    ((aws.PaginationError,), Because.UNREADABLE, "the list repeats itself instead of ending"),
    ((aws.BotoCoreError,), Because.UNREADABLE, "the call could not be made ({kind})"),
)
"""What went wrong below the answer, the most special first."""


_SAID = 500


class Refused(Exception):  # noqa: N818 - an answer to live with, not a mistake
    """One call gave nothing: why, the code of AWS where there is one, and a line for people.

    `said` is what AWS answered, in small letters and cut short: to compare with, never to show.
    """

    def __init__(self, because: Because, reason: str, code: str = "", said: str = "") -> None:
        super().__init__(reason)
        self.because = because
        self.reason = reason
        self.code = code
        self.said = said


@dataclass(frozen=True, slots=True)
class Sent:
    """The call that failed, and what a line about it has to know."""

    operation: str
    region: str
    profile: str
    attempts: int
    read_seconds: float
    clock: Callable[[], datetime]


def meaning(error: Exception, call: Sent) -> Exception | None:
    """`Refused` for a hole, `CollectError` where nothing more will come, None if AWS has no part in it."""
    if isinstance(error, aws.ClientError):
        return _of_answer(error, call)
    if isinstance(error, _NO_CREDENTIALS):
        return no_credentials(error, call.profile)
    for kinds, because, text in _AT_THE_WIRE:
        if isinstance(error, kinds):
            return Refused(
                because, text.format(region=call.region, seconds=call.read_seconds, kind=type(error).__name__)
            )
    return None


def no_credentials(error: Exception, profile: str) -> CollectError:
    """The one line about credentials that cannot be used.

    Never the text of the provider's own error, which may quote what an external process printed.
    """
    who = f"profile {profile}" if profile else "the default credential chain"
    details = getattr(error, "kwargs", {})
    match error:
        case aws.ProfileNotFound():
            text = f"the AWS configuration has no profile {details.get('profile', profile)}"
        case aws.NoCredentialsError():
            text = f"{who} gives no credentials"
        case aws.PartialCredentialsError():
            text = f"{who} gives half a credential: {details.get('cred_var', 'a part')} is missing"
        case aws.SSOError() | aws.TokenRetrievalError() | aws.NoAuthTokenError():
            text = f"the SSO sign-in of {who} is missing or has expired"
        case aws.CredentialRetrievalError():
            text = f"{who} could not get credentials from {details.get('provider', 'its provider')}"
        case aws.ConfigParseError() | aws.ConfigNotFound():
            text = "the AWS configuration file cannot be read"
        case _:
            text = f"{who} cannot be used ({type(error).__name__})"
    return CollectError(Failure.CREDENTIALS, text, needs="working AWS credentials")


def _of_answer(error: aws.ClientError, call: Sent) -> Exception:
    code = str(error.response.get("Error", {}).get("Code", "")).removeprefix("Client.")
    text = str(error.response.get("Error", {}).get("Message", "")).lower()
    ending = _ending(error, call, code, text)
    if ending is not None:
        return ending
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    because, reason = Because.ANSWERED_NO, f"AWS answered {code or f'HTTP {status}'}"
    if code in _NOT_ACCEPTED:
        # STS has accepted them before: a region that is not enabled answers like this.
        because, reason = Because.DENIED, f"{call.region} does not accept the credentials ({code})"
    elif code in _THROTTLED or status == 429:
        because, reason = Because.THROTTLED, f"throttled in all {call.attempts} attempts ({code})"
    elif code in _NOT_SUBSCRIBED:
        because, reason = Because.NOT_SUBSCRIBED, f"the account is not subscribed to this service ({code})"
    elif code in _DENIED or status == 403:
        because, reason = Because.DENIED, _denied(text)
    elif status >= 500:
        because, reason = Because.SERVICE, f"the service failed with HTTP {status} ({code or 'no code'})"
    return Refused(because, reason, code, text[:_SAID])


def _ending(error: aws.ClientError, call: Sent, code: str, text: str) -> CollectError | None:
    if error.operation_name.startswith("AssumeRole"):
        return CollectError(
            Failure.CREDENTIALS,
            f"the role was not given to us ({code})",
            needs="sts:AssumeRole, and a trust policy of the role that names us",
        )
    if code in _SKEWED or "signature expired" in text or "signature not yet current" in text:
        return CollectError(Failure.CREDENTIALS, _skew(error, call), needs="a clock kept by NTP")
    if code in _EXPIRED:
        return CollectError(Failure.CREDENTIALS, f"the credentials have expired ({code})", "a new sign-in")
    if code in _NOT_ACCEPTED and call.operation == "GetCallerIdentity":
        return CollectError(
            Failure.CREDENTIALS, f"AWS does not accept the credentials ({code})", "working AWS credentials"
        )
    return None


def _skew(error: aws.ClientError, call: Sent) -> str:
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    try:
        off = call.clock() - parsedate_to_datetime(str(headers.get("date", "")))
    except (ValueError, TypeError):
        return "AWS refuses the time of our requests: the clock of this machine is wrong"
    side = "ahead of" if off > timedelta() else "behind"
    return f"the clock of this machine is {abs(off.total_seconds()):.0f} s {side} that of AWS"


def _denied(text: str) -> str:
    if "service control policy" in text:
        return "access denied by a service control policy of the organisation"
    if "permissions boundary" in text:
        return "access denied by the permissions boundary of the credentials"
    if "explicit deny" in text:
        return "access denied by a policy that denies it"
    return "access denied"
