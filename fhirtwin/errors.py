"""Every error of the project, as one tree.

    FhirtwinError                 status  FHIR issue type
    ├── Incorrect                   400   invalid          the caller sent something wrong
    │   ├── Unsupported             400   not-supported    right in FHIR, not done here
    │   ├── TooLarge                413   too-long
    │   ├── TooCostly               400   too-costly
    │   ├── WrongMediaType          415   not-supported
    │   ├── NotAcceptable           406   not-supported
    │   ├── MethodNotAllowed        405   not-supported
    │   └── Unprocessable           422   processing       well formed, but must not be acted upon
    ├── Unauthenticated             401   login
    ├── Forbidden                   403   forbidden
    │   ├── OutboundRefused         403   forbidden        an address that this server does not call
    │   └── KeyWanted               403   forbidden        a gateway asked a patient's device for more than ciphertext
    ├── NotFound                    404   not-found
    │   └── Gone                    410   deleted
    ├── Conflict                    409   conflict
    ├── Precondition                412   conflict         a condition of the caller's, or data that must be there
    ├── Busy                        503   throttled
    │   └── QuotaUsedUp             429   throttled        an engine's tenant had all that it may have
    ├── InsufficientStorage         507   no-store
    ├── Unavailable                 503   transient
    │   ├── EngineUnavailable       503   transient        the engine is down, late or of another version
    │   │   └── EngineLacksModel    503   transient        it runs, and does not hold what it was asked for
    │   │       └── EngineClosesModel 503 transient        it holds it, for others than this gateway
    │   └── OutboundFailed          503   transient        another server, which we asked, did not answer properly
    └── Fault                       500   exception        ours
        └── EngineAnswerRefused     502   exception        the engine answered something that must not be believed
            ├── EngineAnswerWrong   502   exception        and it was signed by the engine, for this request
            └── EngineQuarantined   503   exception        it did so before, and is asked no more

Texts name the place and the remedy. They never carry patient data: no value, no name, no identifier of a resource's
content. Only `fhirtwin.api.errors` turns them into HTTP.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing that is wrong: becomes one `OperationOutcome.issue`.

    Attributes:
        code: FHIR issue type (http://hl7.org/fhir/R4/valueset-issue-type.html).
        text: what is wrong and what to do, without patient data.
        expression: FHIRPath-like places, for example `Observation.code.coding[0].system`.
        severity: `fatal`, `error`, `warning` or `information`.
    """

    code: str
    text: str
    expression: tuple[str, ...] = ()
    severity: str = "error"


class FhirtwinError(Exception):
    """The root; never raised itself."""

    status = 500
    code = "exception"

    def __init__(self, text: str, *, expression: str | None = None, issues: Iterable[Issue] = ()) -> None:
        super().__init__(text)
        given = tuple(issues)
        self.issues = given or (Issue(self.code, text, (expression,) if expression else ()),)


class Incorrect(FhirtwinError):
    """The caller sent something that is wrong in itself."""

    status, code = 400, "invalid"


class Unsupported(Incorrect):
    """Right in FHIR, and not done by this server."""

    status, code = 400, "not-supported"


class TooLarge(Incorrect):
    """More than a limit allows."""

    status, code = 413, "too-long"


class TooCostly(Incorrect):
    """Would take longer than anybody may keep this server busy; asked again it would be no quicker."""

    status, code = 400, "too-costly"


class WrongMediaType(Incorrect):
    """The body is of a type that this door does not read."""

    status, code = 415, "not-supported"


class NotAcceptable(Incorrect):
    """The caller accepts nothing that this door writes."""

    status, code = 406, "not-supported"


class MethodNotAllowed(Incorrect):
    """The place exists; the method does not.

    Attributes:
        allowed: the methods that it takes.
    """

    status, code = 405, "not-supported"

    def __init__(
        self,
        text: str,
        *,
        expression: str | None = None,
        issues: Iterable[Issue] = (),
        allowed: Iterable[str] = (),
    ) -> None:
        super().__init__(text, expression=expression, issues=issues)
        self.allowed = tuple(allowed)


class Unprocessable(Incorrect):
    """Well formed, but acting upon it would be wrong."""

    status, code = 422, "processing"


class Unauthenticated(FhirtwinError):
    """No token, or one that does not count."""

    status, code = 401, "login"


class Forbidden(FhirtwinError):
    """Known, and not allowed."""

    status, code = 403, "forbidden"


class OutboundRefused(Forbidden):
    """An address that this server does not call: not on the list for it, or it leads where nobody may be sent."""


class KeyWanted(Forbidden):
    """A gateway or an engine asked for a key, or for anything but a sealed vector, which is all that it is given."""


class NotFound(FhirtwinError):
    """Nothing is there."""

    status, code = 404, "not-found"


class Gone(NotFound):
    """Something was there and was deleted."""

    status, code = 410, "deleted"


class Conflict(FhirtwinError):
    """Somebody else changed it first."""

    status, code = 409, "conflict"


class Precondition(FhirtwinError):
    """A condition of the caller's does not hold, or data that must be there are missing."""

    status, code = 412, "conflict"


class Busy(FhirtwinError):
    """Too much at once; come back later."""

    status, code = 503, "throttled"
    retry_after = 1
    """Seconds."""


class QuotaUsedUp(Busy):
    """A tenant of an engine had all that it may have for now.

    Args:
        text: which quota.
        retry_after: seconds until there is more.
    """

    status, code = 429, "throttled"

    def __init__(self, text: str, *, retry_after: int) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class InsufficientStorage(FhirtwinError):
    """There is no room left to keep it; what is kept can be read."""

    status, code = 507, "no-store"


class Unavailable(FhirtwinError):
    """Something this answer needs is not there now."""

    status, code = 503, "transient"


class EngineUnavailable(Unavailable):
    """The engine is down, late, or of another version than this gateway."""


class EngineLacksModel(EngineUnavailable):
    """The engine runs, and does not hold the panel or the model that it was asked for."""


class EngineClosesModel(EngineLacksModel):
    """The engine holds the panel or the model, and lets others than this gateway ask for it."""


class OutboundFailed(Unavailable):
    """Another server, which we asked, could not be reached, was late, or sent what is not read."""


class Fault(FhirtwinError):
    """Ours. The text says nothing of the inside; the log does, without patient data."""

    status, code = 500, "exception"


class EngineAnswerRefused(Fault):
    """The engine answered, and the answer failed a check, so it is no risk but an error."""

    status, code = 502, "exception"


class EngineAnswerWrong(EngineAnswerRefused):
    """The answer was signed by the engine for this request, and is not what a right engine gives."""


class EngineQuarantined(EngineAnswerRefused):
    """The engine gave a wrong answer before, so it is not asked until an administrator lets it."""

    status, code = 503, "exception"
