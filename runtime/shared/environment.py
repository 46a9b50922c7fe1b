"""Typed reading of a function's environment variables, with every problem reported at once.

    environment = Environment(os.environ)
    table = environment.text("TABLE_NAME")
    ttl_seconds = environment.whole_number("TTL_SECONDS", within=(60, 31_536_000))
    environment.check()

The environment never holds secrets (they live in Secrets Manager), so that messages may quote the values.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from runtime.shared.errors import ConfigurationError, shown


class Environment:
    """Reads variables, remembers what is wrong with them, and raises it all in `check`."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self._problems: list[str] = []

    def text(self, name: str, *, default: str | None = None, pattern: str = r".+", form: str = "text") -> str:
        """Return the variable, all of which must match `pattern`; `form` says the same in words."""
        value = self._variables.get(name) or default
        if value is None:
            self._problems.append(f"{name} is not set; set it to {form}")
            return ""
        if re.fullmatch(pattern, value) is None:
            self._problems.append(f"{name} is {shown(value)}; it must be {form}")
        return value

    def whole_number(self, name: str, *, default: int | None = None, within: tuple[int, int]) -> int:
        """Return the variable as an integer within lowest and highest, both included."""
        minimum, maximum = within
        value = self._variables.get(name) or ("" if default is None else str(default))
        form = f"a whole number from {minimum} to {maximum}"
        if not value:
            self._problems.append(f"{name} is not set; set it to {form}")
        elif re.fullmatch(r"-?[0-9]{1,10}", value) is None or not minimum <= int(value) <= maximum:
            self._problems.append(f"{name} is {shown(value)}; it must be {form}")
        else:
            return int(value)
        return minimum

    def secret_arn(self, name: str) -> str:
        """Return the variable, which must be the ARN of a secret in Secrets Manager."""
        return self.text(
            name,
            pattern=r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:\S+",
            form="the ARN of the secret",
        )

    def api_url(self, name: str, *, default: str | None = None) -> str:
        """Return the variable, which must be a URL to which paths are appended: no query, no user."""
        return self.text(
            name,
            default=default,
            pattern=r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~-]+)*",
            form="an http(s) URL without query",
        )

    def refuse(self, problem: str) -> None:
        """Add a problem that only shows when variables are seen together."""
        self._problems.append(problem)

    def check(self) -> None:
        """Raise ConfigurationError with all problems found so far, if any."""
        if self._problems:
            raise ConfigurationError("environment variables of this function: " + "; ".join(self._problems))
