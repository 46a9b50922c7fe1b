"""Blocks that reach what stands next to a contact: other contacts, sign-in, e-mail content, Amazon Q in Connect.

Sources: flow language, "CompleteOutboundCall", "StartOutboundChatContact", "CreateWisdomSession"; administrator guide,
"Call phone number", "Send message", "Authenticate Customer", "Get stored content", "Create persistent contact
association", "Resume contact".
"""

from uuid import uuid4

from connect_sandbox.rehearsal.blocks._registry import Registry
from connect_sandbox.rehearsal.errors import NoSuchFlowError
from connect_sandbox.rehearsal.stage import Stage, require_map
from connect_sandbox.rehearsal.steps import Decides, Fails, Next, Step

BLOCKS = Registry()

CONTENT_LIMIT = 32 * 1024
"""Bytes of an e-mail message that a flow can load (administrator guide, "Get stored content")."""
SIGN_IN_MINUTES = 3
AUTHENTICATIONS = ("signs in", "opts out", "does not answer")
"""How a customer can answer AuthenticateParticipant."""


@BLOCKS.plays("CompleteOutboundCall", "CallerId", "ConnectionTimeLimitSeconds", "VoiceConnector")
def complete_outbound_call(stage: Stage) -> Step:
    """Dial the customer of an outbound call, who hears what follows."""
    number = stage.filled(stage.parameter("CallerId") or {}).get("Number") or stage.state.system_number
    limit = stage.parameter("ConnectionTimeLimitSeconds")
    most = (
        "" if limit is None else f", for at most {stage.at_least(1, limit, 'ConnectionTimeLimitSeconds')} s"
    )
    connector = stage.filled(stage.parameter("VoiceConnector") or {}).get("VoiceConnectorArn")
    over = f" over voice connector {connector.rsplit('/', 1)[-1]}" if connector else ""
    stage.note(
        f"dials {stage.state.customer_number}{over}, from {number}{most}",
        kind="dials",
        to=stage.state.customer_number,
        voice_connector=connector,
    )
    return Next()


@BLOCKS.plays(
    "StartOutboundChatContact",
    "SourceEndpoint",
    "DestinationEndpoint",
    "ContactFlowArn",
    "ContactSubtype",
    "InitialSystemMessage",
    "RelatedContact",
)
def start_outbound_chat_contact(stage: Stage) -> Step:
    """Send a text message, which starts a contact of its own; that one is not played."""
    address = require_map(stage, "DestinationEndpoint").get("Address")
    to = str(stage.filled(address) or "")
    if not to:
        return Fails("NoMatchingError", stage.empty("DestinationEndpoint.Address", address))
    flow_id = stage.text("ContactFlowArn")
    if not flow_id:
        return Fails("NoMatchingError", stage.empty("ContactFlowArn", stage.parameter("ContactFlowArn")))
    try:
        flow = stage.ports.flows.flow(flow_id)
    except NoSuchFlowError as error:
        return Fails("NoMatchingError", str(error))
    first = stage.filled(stage.parameter("InitialSystemMessage") or {}).get("Content")
    said = f" “{first}”" if first else ""
    settings = stage.filled(dict(stage.block.parameters))
    stage.sets(f"sends {to} a text message{said}; replies go to the flow {flow.name}", **settings)
    return Next()


@BLOCKS.plays("CreateWisdomSession", "WisdomAssistantArn")
def create_wisdom_session(stage: Stage) -> Step:
    """Open a session of an assistant of Amazon Q in Connect, for $.Wisdom.SessionArn; nothing is asked of it."""
    assistant = stage.text("WisdomAssistantArn")
    if not assistant:
        return Fails(
            "NoMatchingError", stage.empty("WisdomAssistantArn", stage.parameter("WisdomAssistantArn"))
        )
    partition, region, account = (stage.state.instance_arn.split(":")[i] for i in (1, 3, 4))
    arn = f"arn:{partition}:wisdom:{region}:{account}:session/{assistant.rsplit('/', 1)[-1]}/{uuid4()}"
    stage.state.wisdom = {"SessionArn": arn}
    stage.note(f"opens a session with the assistant {assistant.rsplit('/', 1)[-1]}", session=arn)
    return Next()


@BLOCKS.plays("CreatePersistentContactAssociation", "RehydrationType", "SourceContactId")
def create_persistent_contact_association(stage: Stage) -> Step:
    """Bring an earlier chat back into this one. The customer sees its transcript; the flow does not."""
    source = stage.text("SourceContactId")
    if not source:
        return Fails("NoMatchingError", stage.empty("SourceContactId", stage.parameter("SourceContactId")))
    stage.state.related_contact_id = source
    stage.sets(f"brings back the chat {source}", source=source, rehydration=stage.text("RehydrationType"))
    return Next()


@BLOCKS.plays(
    "AuthenticateParticipant", "CognitoConfiguration", "CustomerProfilesConfiguration", "TimeLimitMinutes"
)
def authenticate_participant(stage: Stage) -> Step:
    """Let a chat's customer sign in, as the scenario says."""
    minutes = stage.parameter("TimeLimitMinutes")
    limit = 60 * (SIGN_IN_MINUTES if minutes is None else stage.at_least(1, minutes, "TimeLimitMinutes"))
    answer = stage.conditions.authentication
    if answer is None:
        raise stage.needs(
            "the scenario does not say whether the customer signs in: set it up in setup.authentication",
            "authentication",
            example=AUTHENTICATIONS[0],
        )
    stage.note(f"asks the customer to sign in, for at most {limit} s")
    if answer == "does not answer":
        stage.clock.passes(limit)
        return Fails("TimeLimitExceeded", f"the customer has not signed in within {limit} s")
    stage.note(answer, who="caller", kind="branch")
    return Decides("OptedOut") if answer == "opts out" else Next()


@BLOCKS.plays("LoadContactContent", "ContentType")
def load_contact_content(stage: Stage) -> Step:
    """Read the plain text of an e-mail into $.Email.EmailMessage.Plaintext."""
    if stage.state.channel != "EMAIL":
        return Fails("NoMatchingError", f"it works for EMAIL only, and this is {stage.state.channel}")
    message = stage.conditions.email_message
    if message is None:
        raise stage.needs(
            "the scenario does not say what the e-mail says: set it up in setup.email_message",
            "email_message",
            example="Where is my order?",
        )
    size = len(message.encode(errors="surrogatepass"))
    if size > CONTENT_LIMIT:
        return Fails(
            "NoMatchingError", f"the message has {size:,} bytes; Amazon Connect loads {CONTENT_LIMIT:,}"
        )
    stage.state.email = {"EmailMessage": {"Plaintext": message}}
    stage.note("loads the e-mail's text", content=message)
    return Next()


@BLOCKS.plays("ResumeContact")
def resume_contact(stage: Stage) -> Step:
    """Resume a paused task."""
    if stage.state.channel != "TASK":
        return Fails("NoMatchingError", f"only a task can be paused, and this is {stage.state.channel}")
    stage.note("resumes the task")
    return Next()
