"""Blocks that converse: ConnectParticipantWithLexBot and ShowView.

Amazon Lex and the chat widget are outside the sandbox; a scenario says what Lex understands and what the customer
chooses. Sources: flow language, "ConnectParticipantWithLexBot", "ShowView"; administrator guide, "Get customer input",
"Show view".
"""

from connect_sandbox.rehearsal.blocks._registry import Registry
from connect_sandbox.rehearsal.blocks.prompts import SOURCES, PromptError, words_of
from connect_sandbox.rehearsal.conditions import Chooses, HangsUp, Presses, Says
from connect_sandbox.rehearsal.stage import CallerHungUpError, Stage
from connect_sandbox.rehearsal.steps import Decides, Fails, Step

BLOCKS = Registry()


@BLOCKS.plays(
    "ConnectParticipantWithLexBot",
    *SOURCES,
    "LexInitializationData",
    "LexV2Bot",
    "LexBot",
    "LexSessionAttributes",
    "LexTimeoutSeconds",
)
def connect_participant_with_lex_bot(stage: Stage) -> Step:
    """Ask in the bot's name and branch on the intent that the scenario says Lex understands."""
    if stage.state.dtmf_buffer is not None:
        stage.state.dtmf_buffer = ""  # keys pressed ahead do not reach a bot
    try:
        _opens(stage)
    except PromptError as error:
        return Fails("NoMatchingError", str(error))
    utterance = _utterance(stage)
    if utterance is None:
        return _nothing_said(stage)
    understanding = stage.conditions.lex.get(utterance)
    if understanding is None:
        raise stage.needs(
            f"the scenario does not say what Lex understands of {utterance!r}: set it up in setup.lex",
            "lex",
            utterance,
            example=next((c.operands[0] for c in stage.block.transitions.conditions if c.operands), None),
        )
    own = {
        name: str(stage.filled(value))
        for name, value in (stage.parameter("LexSessionAttributes") or {}).items()
    }
    stage.state.lex = understanding.namespace(own)
    stage.note(
        f"Lex understands {understanding.intent or 'nothing'}", kind="branch", lex=dict(stage.state.lex)
    )
    return Decides(understanding.intent)


@BLOCKS.plays(
    "ShowView", "ViewResource", "InvocationTimeLimitSeconds", "ViewData", "SensitiveDataConfiguration"
)
def show_view(stage: Stage) -> Step:
    """Show a view in the chat and branch on the action that the customer chooses."""
    view = (stage.filled(stage.parameter("ViewResource")) or {}).get("Id", "")
    stage.note(f"shows the view {view}", data=stage.filled(stage.parameter("ViewData")))
    match stage.caller.reacts():
        case Chooses(action, data):
            stage.note(f"chooses {action}", who="caller", data=dict(data))
            stage.state.views = {"Action": action, "ViewResultData": dict(data)}
            return Decides(action)
        case HangsUp():
            raise CallerHungUpError
        case Says(text):
            stage.note(text, who="caller", kind="says")
        case _:
            pass
    limit = stage.at_least(0, stage.parameter("InvocationTimeLimitSeconds"), "InvocationTimeLimitSeconds")
    stage.clock.passes(limit)
    return Fails("TimeLimitExceeded", f"the customer chooses nothing within {limit} s")


def _opens(stage: Stage) -> None:
    initial = stage.parameter("LexInitializationData")
    if initial is not None:
        stage.says(str(stage.filled(initial.get("InitialMessage", ""))))
    elif any(stage.parameter(source) is not None for source in SOURCES):
        stage.says(words_of(stage, stage.block.parameters))


def _utterance(stage: Stage) -> str | None:
    """Return what the customer says, types or presses; None if nothing."""
    match stage.caller.reacts():
        case Says(text):
            return stage.heard(text) or None
        case Presses(digits):
            stage.note(f"presses {digits}", who="caller")
            return digits
        case HangsUp():
            raise CallerHungUpError
        case _:
            stage.note("stays silent", who="caller")
            return None


def _nothing_said(stage: Stage) -> Step:
    limits = stage.parameter("LexTimeoutSeconds") or {}
    if stage.block.transitions.error("InputTimeLimitExceeded") is not None:
        if "Text" in limits:
            stage.clock.passes(stage.at_least(0, limits["Text"], "LexTimeoutSeconds.Text"))
        return Fails("InputTimeLimitExceeded", "the customer says nothing")
    # Without that branch, Lex gives up after its own retries: no intent, so the default branch.
    return Decides(None)
