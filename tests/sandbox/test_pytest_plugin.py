"""The pytest plugin, as a project that has connect-sandbox installed sees it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.support.rehearsal import FUNCTION, block, hang_up, say

pytest_plugins = ["pytester"]
PLUGIN = "connect_sandbox.pytest_plugin"


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    ask = block(
        "ask",
        "InvokeLambdaFunction",
        "tell",
        errors={"NoMatchingError": "sorry"},
        LambdaFunctionARN="${Fetch}",
        InvocationTimeLimitSeconds="3",
        ResponseValidation={"ResponseType": "JSON"},
    )
    actions = [ask, say("tell", "Hello $.External.name.", "bye"), say("sorry", "Sorry.", "bye"), hang_up()]
    flow = {"Version": "2019-10-30", "StartAction": "ask", "Actions": actions}
    pytester.path.joinpath("flow.json").write_text(json.dumps(flow))
    pytester.makeini("[pytest]\naddopts = -p no:cacheprovider")
    return pytester


def run(project: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    # By the name of its entry point, as pytest finds it; other plugins of this environment stay out.
    return project.runpytest_subprocess("-p", "connect_sandbox", *arguments)


def test_a_call_is_three_lines(project: pytest.Pytester) -> None:
    project.makepyfile(f"""
        def test_members_are_greeted(contact):
            lambdas = {{"lookup": {{"answers": {{"name": "Ada"}}}}}}
            call = contact.calls("flow.json", values={{"Fetch": "{FUNCTION}"}}, lambdas=lambdas)
            call.hears("Hello Ada.").ends("disconnected")
    """)
    run(project).assert_outcomes(passed=1)


def test_handlers_run_and_chats_start(project: pytest.Pytester) -> None:
    project.makepyfile(f"""
        SETUP = {{"values": {{"Fetch": "{FUNCTION}"}}, "lambdas": {{"lookup": lambda event, context:
            {{"name": event["Details"]["ContactData"]["Channel"]}}}}}}

        def test_channels(contact):
            call, chat = contact.calls("flow.json", **SETUP), contact.chats("flow.json", **SETUP)
            call.hears("Hello VOICE.")
            chat.hears("Hello CHAT.")
            missing = contact.coverage("flow.json", call, chat, Fetch="{FUNCTION}").missing()
            assert [str(branch) for branch in missing] == [
                "ask: NoMatchingError → sorry",
                "tell: NoMatchingError → bye", "sorry: next → bye", "sorry: NoMatchingError → bye"]
    """)
    run(project).assert_outcomes(passed=1)


def test_flows_lie_beside_the_test_or_below_the_root(project: pytest.Pytester) -> None:
    project.mkdir("deep").joinpath("test_deep.py").write_text(
        f"def test_it(contact):\n    contact.calls('flow.json', values={{'Fetch': '{FUNCTION}'}},"
        " lambdas={'lookup': {'times_out': True}}).hears('Sorry.')\n"
    )
    run(project).assert_outcomes(passed=1)


def test_a_failure_shows_the_transcript(project: pytest.Pytester) -> None:
    project.makepyfile(f"""
        def test_it(contact):
            lambdas = {{"lookup": {{"throttled": True}}}}
            contact.calls("flow.json", values={{"Fetch": "{FUNCTION}"}}, lambdas=lambdas).hears("Hello")
    """)
    result = run(project)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*the caller should have heard “Hello”*", "*lookup gives no answer*", "*“Sorry.”*"]
    )


def test_a_misspelt_setup_is_named(project: pytest.Pytester) -> None:
    project.makepyfile("""
        def test_it(contact):
            contact.calls("flow.json", lambda_={"lookup": {}})
    """)
    result = run(project)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*lambda_ is not known*Fix: write lambdas.*"])


def test_loading_the_plugin_loads_nothing_else() -> None:
    code = (
        f"import sys, {PLUGIN};"
        "bad = [m for m in sys.modules if m.startswith(('boto', 'moto', 'aws_cdk', 'yaml', 'jsii',"
        " 'connect_sandbox.rehearsal', 'connect_sandbox.cloud', 'connect_flows'))];"
        "sys.exit(str(bad) if bad else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
