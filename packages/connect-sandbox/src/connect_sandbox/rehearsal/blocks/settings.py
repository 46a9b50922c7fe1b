"""Blocks that set something on the contact: attributes, data, tags, voice, recording, hooks.

What another block or a Lambda event reads back is kept where it is read; what only the service uses is kept as a
setting and shown in the transcript.
"""

from collections.abc import Mapping
from typing import Any

from connect_sandbox.rehearsal.blocks._registry import Play, Registry
from connect_sandbox.rehearsal.errors import NoSuchFlowError
from connect_sandbox.rehearsal.message_processing import Processor
from connect_sandbox.rehearsal.stage import Stage, require_map
from connect_sandbox.rehearsal.state import ATTRIBUTE_LIMIT
from connect_sandbox.rehearsal.steps import Fails, Next, Step
from connect_sandbox.rehearsal.transcript import shown

BLOCKS = Registry()


@BLOCKS.plays("UpdateContactAttributes", "Attributes", "TargetContact")
def update_contact_attributes(stage: Stage) -> Step:
    """Set user-defined attributes; past 32,768 bytes in total none is set and the Error branch is taken."""
    written = require_map(stage, "Attributes")
    new = {name: str(stage.filled(value)) for name, value in written.items()}
    attributes = _related(stage) if stage.parameter("TargetContact") == "Related" else stage.state.attributes
    size = stage.state.attribute_bytes(attributes | new)
    if size > ATTRIBUTE_LIMIT:
        return Fails(
            "NoMatchingError",
            f"the attributes would take {size:,} bytes; Amazon Connect keeps {ATTRIBUTE_LIMIT:,}",
        )
    attributes.update(new)
    missing = [ref for value in written.values() for ref in stage.missing_in(value)]
    shown_values = ", ".join(f"{name} = {shown(value)}" for name, value in new.items())
    stage.note(
        f"sets {shown_values}"
        + (" on the related contact" if stage.parameter("TargetContact") == "Related" else "")
        + (f" ({', '.join(missing)} missing)" if missing else ""),
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


_VOICE_ID = (
    "IsVoiceIdStreamingEnabled",
    "IsVoiceAuthenticationEnabled",
    "IsFraudDetectionEnabled",
    "VoiceAuthenticationThreshold",
    "VoiceAuthenticationResponseTime",
    "FraudDetectionThreshold",
    "WatchlistId",
)
"""Settings of Amazon Connect Voice ID, which nothing reads any more."""


@BLOCKS.plays(
    "UpdateContactData",
    "Name",
    "Description",
    "LanguageCode",
    "CustomerId",
    "WisdomSessionArn",
    "References",
    *_VOICE_ID,
    "TargetContact",
)
def update_contact_data(stage: Stage) -> Step:
    """Set the contact's name, description, language, customer id, or assistant's session."""
    if stage.parameter("References") is not None:
        raise stage.cannot("Amazon Connect does not publish a flow with its parameter References")
    written = {key: value for key, value in stage.block.parameters.items() if key != "TargetContact"}
    new = {key: stage.text(key) for key in written}
    if not any(new.values()):
        empty = [stage.empty(key, value) for key, value in written.items()]
        return Fails("NoMatchingError", "; ".join(empty) or "it has nothing to set")
    if stage.parameter("TargetContact") == "Related":
        _related(stage)
        stage.note(f"sets {shown(new)} on the related contact", data=new)
        return Next()
    stage.state.name = new.get("Name", stage.state.name)
    stage.state.description = new.get("Description", stage.state.description)
    stage.state.language_code = new.get("LanguageCode", stage.state.language_code)
    stage.state.customer_id = new.get("CustomerId", stage.state.customer_id)
    if new.get("WisdomSessionArn"):
        stage.state.wisdom = {"SessionArn": new["WisdomSessionArn"]}
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
    voice = stage.text("TextToSpeechVoice")
    if not voice:
        return Fails(
            "NoMatchingError", stage.empty("TextToSpeechVoice", stage.parameter("TextToSpeechVoice"))
        )
    stage.state.voice = voice
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


@BLOCKS.plays("UpdateContactMediaProcessing", "ChatProcessor")
def update_contact_media_processing(stage: Stage) -> Step:
    """Let each message of the chat pass through a function from now on, or no longer."""
    if stage.ports.chat is not None:
        raise stage.refuses("the sandbox's chats have no message processors")
    settings = require_map(stage, "ChatProcessor")
    if settings.get("ProcessingEnabled") != "True":
        stage.state.message_processor = None
        stage.note("processes no messages")
        return Next()
    function = str(stage.filled(settings.get("LambdaProcessorARN")) or "")
    if not function:
        return Fails("NoMatchingError", stage.empty("LambdaProcessorARN", settings.get("LambdaProcessorARN")))
    behaviour = settings.get("ChatProcessorSettings") or {}
    delivers = str(behaviour.get("DeliverUnprocessedMessages")) == "True"
    stage.state.message_processor = Processor(function, delivers)
    stage.note(f"lets messages pass through {function.split(':function:', 1)[-1]}")
    return Next()


@BLOCKS.plays("UpdateContactEventHooks", "EventHooks", "EventHooksConfiguration")
def update_contact_event_hooks(stage: Stage) -> Step:
    """Choose the flow that runs at an event, e.g. CustomerQueue or CustomerRemaining; it must exist.

    DisableExecution "true" in EventHooksConfiguration lets no flow run at the event.
    """
    written = require_map(stage, "EventHooks")
    hooks = {event: str(stage.filled(flow) or "") for event, flow in written.items()}
    disabled = [event for event in hooks if _is_disabled(stage, event)]
    for event in disabled:
        stage.state.event_hooks.pop(event, None)
        del hooks[event]
        stage.note(f"lets no flow run at {event}")
    for event, flow in hooks.items():
        if not flow:
            return Fails("NoMatchingError", stage.empty(f"EventHooks.{event}", written[event]))
        try:
            stage.ports.flows.flow(flow)
        except NoSuchFlowError as error:
            return Fails("NoMatchingError", str(error))
    stage.state.event_hooks.update(hooks)
    if hooks:
        stage.note(f"hooks {', '.join(f'{event} → {flow}' for event, flow in hooks.items())}", hooks=hooks)
    return Next()


def _is_disabled(stage: Stage, event: str) -> bool:
    settings = (stage.parameter("EventHooksConfiguration") or {}).get(event)
    return isinstance(settings, Mapping) and str(settings.get("DisableExecution")).lower() == "true"


def _related(stage: Stage) -> dict[str, str]:
    """Return the attributes of the contact that this one is related to."""
    related = stage.state.related_attributes
    if related is None:
        raise stage.needs(
            "TargetContact Related needs the contact that this one is related to: give setup.related_contact, "
            "its attributes",
            "related_contact",
            example={},
        )
    return related


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
