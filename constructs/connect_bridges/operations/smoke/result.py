"""What ``connect-bridges smoke`` tries, one check at a time, and what became of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum

from botocore.exceptions import BotoCoreError, ClientError

from connect_bridges.operations import aws
from connect_bridges.operations.web import WebError


class Outcome(StrEnum):
    """What became of a check."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Check:
    """One check. name: stable, lower case with hyphens. why: what was seen; todo: what to do, empty if nothing is.

    conclusive: a failure shows that the deployment is wrong, and not merely that it could not be asked.
    """

    name: str
    outcome: Outcome
    why: str
    todo: str = ""
    conclusive: bool = False


class FailedError(Exception):
    """A check failed: why, what to do, and whether that shows something wrong with the deployment."""

    def __init__(self, why: str, todo: str, *, conclusive: bool = True) -> None:
        super().__init__(why)
        self.why, self.todo, self.conclusive = why, todo, conclusive


class SkippedError(Exception):
    """A check could not be tried, or was not asked for: why, and what to do to have it tried."""

    def __init__(self, why: str, todo: str = "") -> None:
        super().__init__(why)
        self.why, self.todo = why, todo


@dataclass
class Checks:
    """The checks of one construct. told: called with each as soon as it is done."""

    told: Callable[[Check], None] = lambda _check: None
    done: list[Check] = field(default_factory=list)

    def attempt(self, name: str, what: Callable[[], str]) -> bool:
        """Do a check; tell whether it went well.

        what: returns what was seen, or raises FailedError, SkippedError or WebError. An answer of AWS that this does
        not foresee is a failure in AWS's words; what would fail every check alike (no credentials) ends the run with
        AwsError.
        """
        try:
            check = Check(name, Outcome.OK, what())
        except FailedError as failure:
            check = Check(name, Outcome.FAILED, failure.why, failure.todo, failure.conclusive)
        except SkippedError as skipped:
            check = Check(name, Outcome.SKIPPED, skipped.why, skipped.todo)
        except WebError as error:
            why, _, todo = str(error).partition(". ")
            check = Check(name, Outcome.FAILED, f"{why}.", todo)
        self.done.append(check)
        self.told(check)
        return check.outcome is Outcome.OK

    def skip(self, name: str, why: str, todo: str = "") -> None:
        """Note a check that is not tried."""

        def skipped() -> str:
            raise SkippedError(why, todo)

        self.attempt(name, skipped)


@contextmanager
def asking(doing: str, action: str) -> Iterator[None]:
    """Ask AWS with the credentials of whoever runs the command: a refusal is a failed check that concludes nothing.

    doing, action: as for ``aws.refused``. Raises FailedError, and AwsError if no request would succeed.
    """
    try:
        yield
    except ClientError as error:
        told = aws.refused(error, doing, action)
        if aws.ends_the_run(error):
            raise aws.AwsError(told) from error
        why, _, todo = told.rpartition(". ")
        raise FailedError(f"{why}.", todo, conclusive=False) from error
    except BotoCoreError as error:
        unanswered = aws.unanswered(error)
        if aws.ends_the_run(error):
            raise unanswered from error
        why, _, todo = str(unanswered).rpartition(". ")
        raise FailedError(f"{why}.", todo, conclusive=False) from error
