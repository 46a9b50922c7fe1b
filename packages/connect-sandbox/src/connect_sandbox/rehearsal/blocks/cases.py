"""Blocks that read and change cases, which the scenario sets up.

Sources: flow language, "GetCase", "CreateCase", "UpdateCase"; administrator guide, "Flow block: Cases".
"""

from connect_sandbox.rehearsal.blocks._registry import Registry
from connect_sandbox.rehearsal.customer_data import Case
from connect_sandbox.rehearsal.stage import Stage
from connect_sandbox.rehearsal.steps import Fails, Next, Step

BLOCKS = Registry()


@BLOCKS.plays(
    "GetCase",
    "LinkContactToCase",
    "GetLastUpdatedCase",
    "CustomerId",
    "CaseRequestFields",
    "CaseResponseFields",
    "ContactToLink",
)
def get_case(stage: Stage) -> Step:
    """Search one case by its customer and fields, and keep its response fields in $.Case."""
    wanted = _fields(stage)
    customer = stage.text("CustomerId")
    if stage.parameter("CustomerId") is not None:
        wanted["customer_id"] = customer
    if not wanted:
        return Fails("NoMatchingError", "it has no search criteria")
    if empty := next((name for name, value in wanted.items() if not value), None):
        written = (stage.parameter("CaseRequestFields") or {}).get(empty, stage.parameter("CustomerId"))
        return Fails("NoMatchingError", stage.empty(empty, written))
    told = " and ".join(f"{name} {value!r}" for name, value in wanted.items())
    cases = stage.state.cases
    found = cases.search(wanted)
    if not found and not cases.said:
        fields = {str(name): str(name) for name in stage.parameter("CaseResponseFields") or []}
        raise stage.needs(
            f"it asks for the case with {told}: give setup.cases, a list of cases by field id ([] if there is none)",
            "cases",
            example=[{**fields, **wanted}],
        )
    if not found:
        return _fails(stage, "NoneFound", f"there is no case with {told}")
    if len(found) > 1 and not _is_true(stage, "GetLastUpdatedCase"):
        return _fails(stage, "MultipleFound", f"{len(found)} cases have {told}")
    return _keeps(stage, f"finds the case {found[-1]['case_id']} by {told}", found[-1])


@BLOCKS.plays("CreateCase", "LinkContactToCase", "CaseTemplateId", "CaseRequestFields", "ContactToLink")
def create_case(stage: Stage) -> Step:
    """Create a case from a template."""
    template = stage.text("CaseTemplateId")
    if not template:
        return Fails("NoMatchingError", stage.empty("CaseTemplateId", stage.parameter("CaseTemplateId")))
    case = stage.state.cases.create(_fields(stage))
    return _keeps(stage, f"creates the case {case['case_id']} from the template {template}", case)


@BLOCKS.plays("UpdateCase", "LinkContactToCase", "CaseId", "CaseRequestFields", "ContactToLink")
def update_case(stage: Stage) -> Step:
    """Change fields of a case."""
    case_id = stage.text("CaseId")
    if not case_id:
        return Fails("NoMatchingError", stage.empty("CaseId", stage.parameter("CaseId")))
    found = stage.state.cases.search({"case_id": case_id})
    if not found and not stage.state.cases.said:
        raise stage.needs(
            f"it asks for the case {case_id!r}: give setup.cases, a list of cases by field id",
            "cases",
            example=[{"case_id": case_id}],
        )
    if not found:
        return Fails("NoMatchingError", f"there is no case {case_id!r}")
    stage.state.cases.change(found[0], _fields(stage))
    return _keeps(stage, f"updates the case {case_id}", found[0])


def _keeps(stage: Stage, what: str, case: Case) -> Step:
    asked = [str(name) for name in stage.parameter("CaseResponseFields") or []]
    kept = {name: case[name] for name in ("case_id", *asked) if name in case}
    stage.state.case = {**stage.state.case, **kept}
    linked = " and links the contact to it" if _is_true(stage, "LinkContactToCase") else ""
    stage.note(what + linked, kind="branch", case=kept)
    return Next()


def _fields(stage: Stage) -> dict[str, str]:
    written = stage.parameter("CaseRequestFields") or {}
    return {name: str(stage.filled(value)) for name, value in written.items()}


def _fails(stage: Stage, error: str, reason: str) -> Fails:
    """Fail with the error's name, or with the other that console exports have: NoneFound, NoneFoundError."""
    other = f"{error}Error"
    return Fails(other if stage.block.transitions.error(other) is not None else error, reason)


def _is_true(stage: Stage, name: str) -> bool:
    return str(stage.parameter(name)).lower() == "true"
