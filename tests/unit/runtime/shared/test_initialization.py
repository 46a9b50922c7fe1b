from __future__ import annotations

import pytest

from runtime.shared.errors import ConfigurationError
from runtime.shared.initialization import built_at_init


@pytest.mark.parametrize(("in_lambda", "built_early"), [(True, 1), (False, 0)])
def test_lambda_builds_before_the_first_invocation(
    monkeypatch: pytest.MonkeyPatch, in_lambda: bool, built_early: int
) -> None:
    if in_lambda:
        monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")
    else:
        monkeypatch.delenv("AWS_LAMBDA_INITIALIZATION_TYPE", raising=False)
    built: list[int] = []
    thing = built_at_init(lambda: built.append(1) or "thing")
    assert len(built) == built_early
    assert thing() == thing() == "thing"
    assert len(built) == 1


def test_a_wrong_environment_is_reported_by_the_invocation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")

    @built_at_init
    def thing() -> str:
        raise ConfigurationError("TABLE_NAME is not set")

    with pytest.raises(ConfigurationError, match="TABLE_NAME"):
        thing()
