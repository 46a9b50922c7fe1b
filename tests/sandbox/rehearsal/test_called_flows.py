"""Scenarios are found for a flow that calls modules in files, and modules that call others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from connect_sandbox.rehearsal.scenario import ScenarioFile
from connect_sandbox.rehearsal.skeleton.called import called_by
from connect_sandbox.rehearsal.skeleton.cli import main

Json = dict[str, Any]


def block(name: str, kind: str, parameters: Json, then: str = "") -> Json:
    errors = [{"ErrorType": "NoMatchingError", "NextAction": then}]
    transitions = {"NextAction": then, "Errors": errors, "Conditions": []} if then else {}
    return {"Identifier": name, "Type": kind, "Parameters": parameters, "Transitions": transitions}


def calling(module: str, placeholder: str, *more: Json) -> Json:
    """A template that invokes a module, which the console calls by a name."""
    actions = [
        block("call", "InvokeFlowModule", {"FlowModuleId": f"${{{placeholder}}}"}, more[0]["Identifier"]),
        *more,
    ]
    shown = {"call": {"parameters": {"FlowModuleId": {"displayName": module}}}}
    return {
        "Version": "2019-10-30",
        "StartAction": "call",
        "Metadata": {"ActionMetadata": shown},
        "Actions": actions,
    }


FILES: dict[str, Json] = {
    "line": calling("Find caller", "FindModule", block("bye", "DisconnectParticipant", {})),
    "find_caller": calling("Say name", "SayModule", block("end", "EndFlowModuleExecution", {})),
    "say_name": {
        "Version": "2019-10-30",
        "StartAction": "look up",
        "Actions": [
            block("look up", "InvokeLambdaFunction",
                  {"LambdaFunctionARN": "${Lookup}", "InvocationTimeLimitSeconds": "3"}, "end"),
            block("end", "EndFlowModuleExecution", {}),
        ],
    },
    "other": calling("Nobody", "OtherModule", block("end", "EndFlowModuleExecution", {})),
}  # fmt: skip


def written(folder: Path) -> Path:
    (folder / "flows").mkdir()
    for name, document in FILES.items():
        (folder / f"flows/{name}.json").write_text(json.dumps(document))
    return folder / "flows"


def test_files_that_are_called_are_found_and_others_are_not(tmp_path: Path) -> None:
    flows = written(tmp_path)
    called = called_by(flows / "line.json", flows, {"Lookup": "lookup", "OtherModule": "other"})
    assert [file.stem for file in called.files] == ["find_caller", "say_name"]
    assert called.values == {"FindModule": "FindModule", "Lookup": "lookup", "SayModule": "SayModule"}
    assert called_by(flows / "line.json", None, {}).files == ()


def test_scenarios_go_through_modules_of_modules(tmp_path: Path) -> None:
    flows = written(tmp_path)
    (tmp_path / "scenarios").mkdir()
    told = tmp_path / "values.json"
    told.write_text(json.dumps({"FindModule": "Find caller", "SayModule": "Say name", "Lookup": "lookup"}))
    output = tmp_path / "scenarios/line.yaml"
    command = [
        str(flows / "line.json"),
        "-o",
        str(output),
        "--flows",
        str(flows),
        "--values",
        str(told),
        "--expect",
    ]
    assert main(command) == 0
    file = ScenarioFile.load(output)
    file.check_names(flows / "line.json")
    invoked = 0
    for scenario in file.scenarios:
        contact = scenario.contact(file.flow(scenario, flows / "line.json"))
        scenario.check(contact)
        invoked += ("say_name", "look up") in contact.visited_in
    assert invoked


def test_a_value_may_be_for_a_flow_that_each_scenario_says_is_not_there(tmp_path: Path) -> None:
    flows = written(tmp_path)
    (tmp_path / "line.yaml").write_text(
        "setup:\n"
        "  values: {FindModule: find, SayModule: say}\n"
        "  modules: {find: flows/find_caller.json}\n"
        "scenarios:\n"
        "  - {name: there is none, setup: {modules: {find: null}}, expect: {ends: disconnected}}\n"
    )
    ScenarioFile.load(tmp_path / "line.yaml").check_names(flows / "line.json")
