"""Blocks that set something on the contact: attributes, data, tags, voice, recording, hooks.

What another block or a Lambda event reads back is kept where it is read; what only the service uses is kept as a
setting and shown in the transcript.
"""

from collections.abc import Mapping
from typing import Any

from connect_sandbox.rehearsal.blocks._registry import Play, Registry
from connect_sandbox.rehearsal.errors import NoSuchFlowError
from connect_sandbox.rehearsal.stage import Stage, require_map
from connect_sandbox.rehearsal.state import ATTRIBUTE_LIMIT
from connect_sandbox.rehearsal.steps import Fails, Next, Step
from connect_sandbox.rehearsal.transcript import shown

BLOCKS = Registry()


@BLOCKS.plays("UpdateContactAttributes", "Attributes", "TargetContact")
def update_contact_attributes(stage: Stage) -> Step:
    """Set user-defined attributes; past 32,768 bytes in total none is set and the Error branch is taken."""
    if stage.parameter("TargetContact") not in (None, "Current"):
        raise stage.cannot("TargetContact Related needs a second contact, and there is only one")
    written = require_map(stage, "Attributes")
    new = {name: str(stage.filled(value)) for name, value in written.items()}
    size = stage.state.attribute_bytes(stage.state.attributes | new)
    if size > ATTRIBUTE_LIMIT:
        return Fails(
            "NoMatchingError",
            f"the attributes would take {size:,} bytes; Amazon Connect keeps {ATTRIBUTE_LIMIT:,}",
        )
    stage.state.attributes.update(new)
    missing = [ref for value in written.values() for ref in stage.missing_in(value)]
    shown_values = ", ".join(f"{name} = {shown(value)}" for name, value in new.items())
    stage.note(
        f"sets {shown_values}" + (f" ({', '.join(missing)} missing)" if missing else ""),
        kind="attributes",
        attributes=new,
    )
    return Next()


@BLOCKS.plays("UpdateFlowAttributes", "FlowAttributes")
def update_flow_attributes(stage: Stage) -> Step:
    """Set attributes that live as long as the flow."""
    new = {}
    for name, holder in require_map(stage, "FlowAttributes").items():
        if not isinstance(holder, Mapping) or "Value" not in holder:
            raise stage.cannot(f'FlowAttributes.{name} must be {{"Value": …}}, is {holder!r}')
        new[name] = str(stage.filled(holder["Value"]))
    stage.state.flow_attributes.update(new)
    stage.note(f"sets for this flow {shown(new)}", kind="attributes", flow_attributes=new)
    return Next()


@BLOCKS.plays("UpdateContactData", "Name", "Description", "LanguageCode", "CustomerId", "TargetContact")
def update_contact_data(stage: Stage) -> Step:
    """Set the contact's name, description, language or customer id."""
    if stage.parameter("TargetContact") not in (None, "Current"):
        raise stage.cannot("TargetContact Related needs a second contact, and there is only one")
    new = {key: stage.text(key) for key in stage.block.parameters if key != "TargetContact"}
    stage.state.name = new.get("Name", stage.state.name)
    stage.state.description = new.get("Description", stage.state.description)
    stage.state.language_code = new.get("LanguageCode", stage.state.language_code)
    stage.state.customer_id = new.get("CustomerId", stage.state.customer_id)
    stage.note(f"sets {', '.join(f'{key} = {value}' for key, value in new.items())}", data=new)
    return Next()


@BLOCKS.plays("TagContact", "Tags")
def tag_contact(stage: Stage) -> Step:
    """Tag the contact."""
    new = {key: str(stage.filled(value)) for key, value in require_map(stage, "Tags").items()}
    stage.state.tags.update(new)
    stage.note(f"tags the contact {shown(new)}", tags=new)
    return Next()


@BLOCKS.plays("UntagContact", "TagKeys")
def untag_contact(stage: Stage) -> Step:
    """Remove tags."""
    keys = stage.parameter("TagKeys")
    if not isinstance(keys, list):
        raise stage.cannot(f"TagKeys must be a list, is {keys!r}")
    for key in keys:
        stage.state.tags.pop(key, None)
    stage.note(f"removes the tags {', '.join(keys)}")
    return Next()


@BLOCKS.plays(
    "UpdateContactTextToSpeechVoice", "TextToSpeechVoice", "TextToSpeechEngine", "TextToSpeechStyle"
)
def update_contact_text_to_speech_voice(stage: Stage) -> Step:
    """Choose the voice for text-to-speech."""
    stage.state.voice = stage.text("TextToSpeechVoice")
    stage.note(f"speaks as {stage.state.voice} from now on")
    return Next()


@BLOCKS.plays("UpdateContactMediaStreamingBehavior", "MediaStreamingState", "Participants", "MediaStreamType")
def update_contact_media_streaming_behavior(stage: Stage) -> Step:
    """Start or stop copying the caller's audio to the Kinesis stream that the scenario names."""
    if stage.parameter("MediaStreamingState") == "Enabled":
        stream, records = stage.conditions.media_stream, stage.ports.records
        if stream is None and records is not None:
            stream = records.media_stream(stage.state.contact_id)
            if stream is None:
                return Fails("NoMatchingError", "the instance has no storage for MEDIA_STREAMS")
        if stream is None:
            raise stage.needs(
                "the scenario does not name the Kinesis video stream: set it up in setup.media_stream",
                "media_stream",
                example="arn:aws:kinesisvideo:us-east-1:123456789012:stream/example/1",
            )
        start = str(round(stage.clock.now.timestamp() * 1000))
        audio = {
            "StreamARN": stream,
            "StartTimestamp": start,
            "StopTimestamp": None,
            "StartFragmentNumber": "1",
        }
        stage.state.media_streams = {"Customer": {"Audio": audio}}
        stage.note(f"streams the caller's audio to {stream}")
        return Next()
    audio = dict(stage.state.media_streams["Customer"]["Audio"] or {})
    if audio:
        audio["StopTimestamp"] = str(round(stage.clock.now.timestamp() * 1000))
        stage.state.media_streams = {"Customer": {"Audio": audio}}
    stage.note("stops streaming audio")
    return Next()


@BLOCKS.plays("UpdateContactEventHooks", "EventHooks")
def update_contact_event_hooks(stage: Stage) -> Step:
    """Choose the flow that runs at an event, e.g. CustomerQueue or CustomerRemaining; it must exist."""
    hooks = {event: str(stage.filled(flow)) for event, flow in require_map(stage, "EventHooks").items()}
    for flow in hooks.values():
        try:
            stage.ports.flows.flow(flow)
        except NoSuchFlowError as error:
            return Fails("NoMatchingError", str(error))
    stage.state.event_hooks.update(hooks)
    stage.note(f"hooks {', '.join(f'{event} → {flow}' for event, flow in hooks.items())}", hooks=hooks)
    return Next()


@BLOCKS.plays(
    "CreateTask",
    "ContactFlowId",
    "TaskTemplateId",
    "Name",
    "Description",
    "Attributes",
    "References",
    "DelaySeconds",
    "ScheduledTime",
)
def create_task(stage: Stage) -> Step:
    """Create a task contact, which is not played; this contact continues."""
    stage.sets(f"creates the task {stage.text('Name')}", **stage.filled(dict(stage.block.parameters)))
    return Next()


def _only_kept(block_type: str, what: str, *parameters: str) -> Play:
    """Register a block whose setting only the service uses."""

    def play(stage: Stage) -> Step:
        settings: dict[str, Any] = stage.filled(dict(stage.block.parameters))
        stage.sets(f"{what}: {shown(settings)}", **settings)
        return Next()

    return BLOCKS.plays(block_type, *parameters)(play)


_only_kept("UpdateContactRecordingBehavior", "recording", "RecordingBehavior", "AnalyticsBehavior")
_only_kept(
    "UpdateContactRecordingAndAnalyticsBehavior",
    "recording and analytics",
    "VoiceBehavior",
    "ChatBehavior",
    "ScreenRecordingBehavior",
)
_only_kept("UpdatePreviousContactParticipantState", "the previous contact", "PreviousContactParticipantState")
