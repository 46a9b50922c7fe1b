"""The AWS calls that each function makes: those that the construct grants it (test_voice_biometric_gate.py)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from runtime.biometrics import erase, gate, retention, unlock, webhook
from runtime.shared import clients

COMMON = {"dynamodb:GetItem", "dynamodb:PutItem", "secretsmanager:GetSecretValue"}
NUMBER = "+12065550100"


def test_each_function_makes_the_calls_that_it_is_granted_and_no_other(
    functions: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: dict[str, set[str]] = {}
    running: list[str] = []
    own = clients._session.__wrapped__()
    own[0].register(
        "before-call",
        lambda model, **_: made[running[-1]].add(f"{model.service_model.service_name}:{model.name}"),
    )
    monkeypatch.setattr(clients, "_session", lambda: own)

    def watched(name: str, handler: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        def run(event: Any, context: Any) -> Any:
            made.setdefault(name, set())
            running.append(name)
            try:
                return handler(event, context)
            finally:
                running.pop()

        return run

    modules = {"gate": gate, "webhook": webhook, "erase": erase, "unlock": unlock, "retention": retention}
    for name, module in modules.items():
        monkeypatch.setattr(module, "handler", watched(name, module.handler))

    functions.enrol()
    functions.follow(functions.connect(functions.ask("return")))
    assert functions.ask("return")["Branch"] == "verified"
    functions.callers.update_item(
        TableName="ConnectTwilio",
        Key={"phoneNumber": {"S": NUMBER}},
        UpdateExpression="SET failures = :two",
        ExpressionAttributeValues={":two": {"N": "2"}},
    )
    assert unlock.handler({"phoneNumber": NUMBER}, functions.context) == {"unlocked": "true"}
    answer = functions.voiceit.respond
    functions.voiceit.respond = lambda _: (503, {}, b"")
    with pytest.raises(Exception, match="VoiceIt"):
        erase.handler({"phoneNumber": NUMBER}, functions.context)
    functions.voiceit.respond = answer
    retention.handler({}, functions.context)
    functions.ask()
    assert erase.handler({"phoneNumber": NUMBER}, functions.context) == {"erased": True}
    functions.ask()
    later = time.time() + 366 * 86_400
    monkeypatch.setattr(time, "time", lambda: later)
    assert retention.handler({}, functions.context) == {"done": 1}

    assert made == {
        "gate": COMMON,
        "webhook": COMMON,
        "unlock": COMMON,
        "erase": COMMON | {"dynamodb:DeleteItem"},
        "retention": COMMON | {"dynamodb:DeleteItem", "dynamodb:Scan"},
    }
