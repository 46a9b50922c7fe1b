"""What a Node.js function's own process does with the code in its zip, as Lambda's Node.js runtimes do."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from connect_sandbox.cloud.function_process import FunctionProcess, Outcome, node_command
from connect_sandbox.cloud.lambda_runtime_api import Event
from connect_sandbox.cloud.node_modules import NodeSdk

Play = Callable[..., Outcome]


class Player:
    """Starts functions from files, and invokes them once each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: list[FunctionProcess] = []

    def __call__(
        self,
        files: dict[str, str],
        handler: str = "index.handler",
        *,
        limit: float = 10,
        runtime: str = "nodejs22.x",
        **environment: str,
    ) -> Outcome:
        root = self.folder / "task"
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        process = FunctionProcess(
            node_command(handler, root),
            root,
            {"PATH": os.defpath, "AWS_EXECUTION_ENV": f"AWS_Lambda_{runtime}", **environment},
        )
        self.processes.append(process)
        return process.initialise(10) or self.again(limit=limit)

    def again(self, limit: float = 10) -> Outcome:
        """Invoke the last one once more."""
        arn = "arn:aws:lambda:us-east-1:123456789012:function:f"
        deadline = int((time.time() + limit) * 1000)
        return self.processes[-1].invoke(Event("1234", arn, b'{"n": 21}', deadline, "Root=1"), limit)


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Player]:
    player = Player(tmp_path)
    yield player
    for process in player.processes:
        process.kill()


def answer(outcome: Outcome) -> Any:
    assert outcome.payload is not None, outcome
    return json.loads(outcome.payload)


@pytest.mark.parametrize(
    ("files", "handler"),
    [
        ({"index.mjs": "export const handler = async ({ n }) => n * 2;"}, "index.handler"),
        ({"index.cjs": "exports.handler = async ({ n }) => n * 2;"}, "index.handler"),
        (
            {
                "package.json": '{"type": "module"}',
                "src/line.js": "import { twice } from './sums.js';\nexport const handler = async ({ n }) => twice(n);",
                "src/sums.js": "export const twice = (n) => n * 2;",
            },
            "src/line.handler",
        ),
        ({"index.js": "exports.calls = { twice: async ({ n }) => n * 2 };"}, "index.calls.twice"),
        ({"index.js": "exports.handler = (e, context, done) => done(null, e.n * 2);"}, "index.handler"),
        ({"index.js": "exports.handler = (e, context) => context.succeed(e.n * 2);"}, "index.handler"),
        ({"index.js": "exports.handler = async () => (await import('./m.mjs')).default;",
          "m.mjs": "export default 42;"}, "index.handler"),
    ],
)  # fmt: skip
def test_handlers_of_every_kind_answer(play: Player, files: dict[str, str], handler: str) -> None:
    assert answer(play(files, handler)) == 42


@pytest.mark.parametrize(
    ("code", "kind", "message"),
    [
        ("exports.handler = async () => { Promise.reject(new Error('lost')); await new Promise(() => {}); }",
         "Runtime.UnhandledPromiseRejection", "Error: lost"),
        ("exports.handler = () => { setTimeout(() => { throw new TypeError('late'); }, 1); }", "TypeError", "late"),
        ("exports.handler = async () => new Promise(() => {})", "Runtime.NodeJsExit", "never settled."),
        ("exports.handler = async () => { const a = {}; a.a = a; return a; }",
         "Runtime.JSONStringifyError", "Unable to stringify response body"),
        ("require('left-pad')", "Runtime.ImportModuleError", "Error: Cannot find module 'left-pad'"),
        ("export const handler = async (", "Runtime.UserCodeSyntaxError", "SyntaxError: "),
        ("exports.handler = 1", "Runtime.HandlerNotFound", "index.handler is not a function"),
        ("exports.handler = async () => { const e = new Error('round'); e.request = { e }; throw e; }",
         "Error", "round"),
    ],
)  # fmt: skip
def test_failures_are_told_as_lambda_tells_them(play: Player, code: str, kind: str, message: str) -> None:
    outcome = play({"index.js": code})
    assert outcome.error is not None, outcome
    assert outcome.error["errorType"] == kind
    assert message in outcome.error["errorMessage"]
    assert outcome.error["trace"]
    assert any(message in line for line in outcome.output)


@pytest.mark.parametrize("handler", ["../index.handler", "index"])
def test_a_handler_that_cannot_be_one_is_named(play: Player, handler: str) -> None:
    outcome = play({"index.js": "exports.handler = async () => 1"}, handler)
    assert outcome.error is not None
    assert outcome.error["errorType"] == "Runtime.MalformedHandlerName"


def test_after_an_error_that_nobody_caught_the_process_is_gone(play: Player) -> None:
    code = "exports.handler = () => { setTimeout(() => { throw new Error('late'); }, 1); }"
    assert play({"index.js": code}).error is not None
    assert not play.processes[-1].alive


def test_a_handler_without_callback_that_never_answers_answers_null(play: Player) -> None:
    assert answer(play({"index.js": "exports.handler = () => { setTimeout(() => {}, 1); }"})) is None
    assert answer(play.again()) is None


def test_a_callback_waits_until_nothing_is_left_to_do_unless_told_otherwise(play: Player) -> None:
    code = """
        let late = 0;
        exports.handler = (event, context, callback) => {
            SETTING
            setTimeout(() => { late += 1; }, 20);
            callback(null, late);
            if (!context.callbackWaitsForEmptyEventLoop) setInterval(() => {}, 1000);
        };"""
    assert answer(play({"index.js": code.replace("SETTING", "")})) == 0
    assert answer(play.again()) == 1  # what was left to do was done before the first answer
    waits_not = code.replace("SETTING", "context.callbackWaitsForEmptyEventLoop = false;")
    assert answer(play({"index.js": waits_not})) == 0
    stays_open = code.replace("SETTING", "setInterval(() => {}, 1000);")
    assert play({"index.js": stays_open}, limit=0.3).timed_out


def test_from_node_24_on_there_are_no_callbacks(play: Player) -> None:
    code = "exports.handler = (event, context, callback) => callback(null, 1)"
    outcome = play({"index.js": code}, runtime="nodejs24.x")
    assert outcome.error is not None
    assert outcome.error["errorType"] == "Runtime.CallbackHandlerDeprecated"
    code = "exports.handler = ({ n }, context) => [n, 'done' in context]"
    assert answer(play({"index.js": code}, runtime="nodejs24.x")) == [21, False]


def test_the_console_prints_json_where_the_function_logs_json(play: Player) -> None:
    code = """
        exports.handler = async () => {
            console.debug("left out");
            console.info({ caller: "Ada" });
            console.error("no %s", "answer", new RangeError("far"));
        };"""
    outcome = play({"index.js": code}, AWS_LAMBDA_LOG_FORMAT="JSON")
    first, second = map(json.loads, outcome.output)
    assert (first["level"], first["message"], first["requestId"]) == ("INFO", {"caller": "Ada"}, "1234")
    assert second["level"] == "ERROR"
    assert (second["errorType"], second["errorMessage"]) == ("RangeError", "far")
    assert second["message"].startswith("no answer RangeError: far")
    quiet = play({"index.js": code}, AWS_LAMBDA_LOG_FORMAT="JSON", AWS_LAMBDA_LOG_LEVEL="ERROR")
    assert [json.loads(line)["level"] for line in quiet.output] == ["ERROR"]


def package(folder: Path, name: str, code: str) -> None:
    place = folder / "node_modules" / name
    place.mkdir(parents=True)
    (place / "package.json").write_text(json.dumps({"name": name, "main": "index.js"}))
    (place / "index.js").write_text(code)


IMPORTS = {
    "index.js": "const { x } = require('@aws-sdk/client-x');\nexports.handler = async () => x;",
    "index.mjs": "import { x } from '@aws-sdk/client-x';\nexport const handler = async () => x;",
}


@pytest.mark.parametrize("file", IMPORTS)
def test_the_sdk_of_the_app_is_what_lambda_would_provide(play: Player, tmp_path: Path, file: str) -> None:
    project = tmp_path / "project"
    package(project, "@aws-sdk/client-x", "exports.x = require('@smithy/inner').y + require('helper').z;")
    package(project, "@smithy/inner", "exports.y = 40;")
    package(project, "helper", "exports.z = 2;")
    sdk = NodeSdk(tmp_path / "runtime")
    sdk.take_from(project / "packages" / "voice")
    assert answer(play({file: IMPORTS[file]}, NODE_PATH=str(sdk.folder))) == 42
    # What the SDK needs is the SDK's; a function finds nothing else of the project.
    other = {"index.cjs": "require('helper')"}
    outcome = Player(tmp_path / "other")(other, NODE_PATH=str(sdk.folder))
    assert outcome.error is not None
    assert "Cannot find module 'helper'" in outcome.error["errorMessage"]


@pytest.mark.parametrize("file", IMPORTS)
def test_without_the_sdk_the_error_says_what_to_install(play: Player, file: str) -> None:
    outcome = play({file: IMPORTS[file]})
    assert outcome.error is not None
    assert "[sandbox: Lambda's Node.js runtimes have @aws-sdk/client-x" in outcome.error["errorMessage"]
    assert "npm install --no-save @aws-sdk/client-x" in outcome.error["errorMessage"]


def test_links_to_an_sdk_that_is_gone_are_replaced(tmp_path: Path) -> None:
    package(tmp_path / "a", "@aws-sdk/client-x", "")
    package(tmp_path / "b", "@aws-sdk/client-x", "")
    sdk = NodeSdk(tmp_path / "runtime")
    sdk.take_from(tmp_path / "a")
    (tmp_path / "a").rename(tmp_path / "c")
    sdk.take_from(tmp_path / "b")
    assert (sdk.folder / "@aws-sdk/client-x").resolve() == tmp_path / "b/node_modules/@aws-sdk/client-x"


def test_commands_that_run_at_once_link_the_same_sdk(tmp_path: Path) -> None:
    for number in range(300):
        package(tmp_path / "a", f"@aws-sdk/client-{number}", "")
    sdk = NodeSdk(tmp_path / "runtime")
    begins = threading.Barrier(8)

    def take() -> None:
        begins.wait(10)
        sdk.take_from(tmp_path / "a")

    with ThreadPoolExecutor(8) as commands:
        for one in [commands.submit(take) for _ in range(8)]:
            one.result()
    assert len(list((sdk.folder / "@aws-sdk").iterdir())) == 300
