"""For each action type: what the console calls the block, and which parameters tell what it does.

The console's names are those of the flow block definitions in the Amazon Connect Administrator Guide; actions that the
guide names no block for have names of our own in the same manner. In a form, ``{Name}``
stands for a parameter ("Name.Inner" for one of an object), ``{Name|how}`` for one in another form: "lower", "words" for
names of the flow language, "duration" for seconds, "other" for what need not be said of the current contact.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Saying:
    """What is said of a block type.

    title: the console's name. headlines: forms, of which the first that the parameters fill is taken. otherwise: the
    headline when none is. details: forms, all that are filled.
    """

    title: str
    headlines: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    otherwise: str = ""


_SPOKEN = ("{Text}", "{SSML}", "{PromptId}", "{Media.Uri}")
_PROFILE = ("By {ProfileRequestData}",)
_READ = ("reads {ProfileResponseData}",)
_CASE = ("{CaseRequestFields.title}", "{CaseRequestFields}", "Case {CaseId}")

SAYINGS: Mapping[str, Saying] = {
    "AssociateContactToCustomerProfile": Saying(
        "Customer profiles: associate contact", ("Profile {ProfileRequestData.ProfileId}",)
    ),
    "AuthenticateParticipant": Saying(
        "Authenticate customer", (), ("within {TimeLimitMinutes} min",), "Sign the customer in"
    ),
    "CheckHoursOfOperation": Saying(
        "Check hours of operation", ("{HoursOfOperationId}",), (), "Hours of the working queue"
    ),
    "CheckMetricData": Saying(
        "Check queue status",
        ("{MetricType|words}",),
        ("of {QueueId}", "of the agent {AgentId}"),
    ),
    "CheckOutboundCallStatus": Saying("Check call progress", (), (), "Who or what has answered"),
    "CheckSegmentMembership": Saying("Check segment membership", (), (), "Is the customer in a segment"),
    "CheckVoiceId": Saying("Check Voice ID", ("{CheckVoiceIdOption|words}", "{CheckType|words}")),
    "Compare": Saying("Check contact attributes", ("{ComparisonValue}",)),
    "CompleteOutboundCall": Saying(
        "Call phone number",
        ("Call from {CallerId.Number}", "Call {VoiceConnector.ToUser}"),
        ("over {VoiceConnector.VoiceConnectorArn}", "rings {ConnectionTimeLimitSeconds|duration}"),
        "Dial the customer",
    ),
    "ConnectParticipantWithLexBot": Saying(
        "Get customer input",
        (*_SPOKEN, "{LexInitializationData.InitialMessage}", "{LexV2Bot.AliasArn}", "{LexBot.Name}"),
        ("Lex bot {LexV2Bot.AliasArn}", "Lex bot {LexBot.Name}", "with {LexSessionAttributes}"),
    ),
    "CreateCallbackContact": Saying(
        "Transfer to queue: callback",
        ("{QueueId}", "Agent {AgentId}"),
        (
            "first call after {InitialCallDelaySeconds|duration}",
            "attempts: {MaximumConnectionAttempts}, {RetryDelaySeconds|duration} apart",
            "flow {ContactFlowId}",
        ),
        "Call back from the working queue",
    ),
    "CreateCase": Saying("Cases: create case", _CASE, ("template {CaseTemplateId}",)),
    "CreateContact": Saying("Create contact", (), (), "Start another contact"),
    "CreateCustomerProfile": Saying("Customer profiles: create profile", _PROFILE, _READ),
    "CreatePersistentContactAssociation": Saying(
        "Create persistent contact association",
        ("Continue the chat of {SourceContactId}",),
        ("{RehydrationType|words}",),
    ),
    "CreateTask": Saying(
        "Create task",
        ("{Name}", "Template {TaskTemplateId}"),
        (
            "{Description}",
            "flow {ContactFlowId}",
            "template {TaskTemplateId}",
            "after {DelaySeconds|duration}",
        ),
    ),
    "CreateWisdomSession": Saying("Amazon Q in Connect", ("{WisdomAssistantArn}",)),
    "DequeueContactAndTransferToQueue": Saying(
        "Transfer to queue", ("{QueueId}", "Agent {AgentId}"), (), "Move to another queue"
    ),
    "DisconnectParticipant": Saying("Disconnect", (), (), "Disconnect"),
    "DistributeByPercentage": Saying("Distribute by percentage"),
    "EndFlowExecution": Saying("End flow / Resume", (), (), "End of the flow"),
    "EndFlowModuleExecution": Saying(
        "Return (from module)", ("Return {Result}",), ("{ResultData}",), "Return to the flow"
    ),
    "EvaluateDataTableValues": Saying("Data table: evaluate", (), (), "Look up values of a data table"),
    "GetCalculatedAttributesForCustomerProfile": Saying(
        "Customer profiles: get calculated attributes", _PROFILE, _READ
    ),
    "GetCase": Saying(
        "Cases: get case",
        ("By {CaseRequestFields}", "Cases of {CustomerId}"),
        ("reads {CaseResponseFields}",),
    ),
    "GetCustomerProfile": Saying("Customer profiles: get profile", _PROFILE, _READ),
    "GetCustomerProfileObject": Saying("Customer profiles: get profile object", _PROFILE, _READ),
    "GetMetricData": Saying(
        "Get metrics",
        ("{QueueId}", "Agent {AgentId}"),
        ("{QueueChannel}",),
        "Metrics of the working queue",
    ),
    "GetParticipantInput": Saying(
        "Get customer input",
        _SPOKEN,
        (
            "waits {InputTimeLimitSeconds|duration}",
            "digits: at most {InputValidation.CustomValidation.MaximumLength}",
            "a phone number ({InputValidation.PhoneNumberValidation.NumberFormat})",
            "encrypted with key {InputEncryption.EncryptionKeyId}",
        ),
    ),
    "InvokeFlowModule": Saying("Invoke module", ("{FlowModuleId}",), ("with {Input}",)),
    "InvokeLambdaFunction": Saying(
        "Invoke AWS Lambda function",
        ("{LambdaFunctionARN}",),
        ("with {LambdaInvocationAttributes}", "up to {InvocationTimeLimitSeconds|duration}"),
    ),
    "ListDataTableValues": Saying("Data table: list", (), (), "List values of a data table"),
    "LoadContactContent": Saying("Load contact content", ("{ContentType|words}",)),
    "Loop": Saying("Loop", ("Repeat {LoopCount} times",)),
    "MessageParticipant": Saying("Play prompt", _SPOKEN),
    "MessageParticipantIteratively": Saying(
        "Loop prompts", ("{Messages}",), ("interrupted every {InterruptFrequencySeconds|duration}",)
    ),
    "RenderMessageTemplate": Saying(
        "Get message template",
        ("{WisdomMessageTemplateArn}",),
        ("knowledge base {WisdomKnowledgeBaseArn}",),
    ),
    "ResumeContact": Saying("Resume contact", (), (), "Resume the paused contact"),
    "RouteContactToAgent": Saying("Route to agent", (), (), "Route to the agent"),
    "ShowView": Saying(
        "Show view",
        ("{ViewData.Heading}", "{ViewResource.Id}"),
        ("view {ViewResource.Id}", "{ViewData.SubHeading}"),
    ),
    "StartOutboundChatContact": Saying(
        "Send message",
        ("{InitialSystemMessage.Content}",),
        ("to {DestinationEndpoint.Address}", "flow {ContactFlowArn}"),
    ),
    "StartOutboundEmailContact": Saying("Send message", (), (), "Send an email"),
    "StartVoiceIdStream": Saying("Set Voice ID", (), (), "Start the Voice ID stream"),
    "TagContact": Saying("Contact tags", ("{Tags}",)),
    "TransferContactToAgent": Saying("Transfer to agent", (), (), "Transfer to the agent"),
    "TransferContactToQueue": Saying("Transfer to queue", (), (), "To the working queue"),
    "TransferParticipantToThirdParty": Saying(
        "Transfer to phone number",
        ("{ThirdPartyPhoneNumber}", "{VoiceConnector.ToUser}"),
        (
            "over {VoiceConnector.VoiceConnectorArn}",
            "rings {ThirdPartyConnectionTimeLimitSeconds|duration}",
            "sends {ThirdPartyDTMFDigits}",
            "comes back to the flow: {ContinueFlowExecution|lower}",
        ),
    ),
    "TransferToFlow": Saying("Transfer to flow", ("{ContactFlowId}",)),
    "UntagContact": Saying("Contact tags", ("Remove {TagKeys}",)),
    "UpdateCase": Saying("Cases: update case", _CASE, ("case {CaseId}",)),
    "UpdateContactAttributes": Saying(
        "Set contact attributes", ("{Attributes}",), ("of the {TargetContact|other} contact",)
    ),
    "UpdateContactCallbackNumber": Saying("Set callback number", ("{CallbackNumber}",)),
    "UpdateContactData": Saying(
        "Set contact data",
        (
            "Language {LanguageCode}",
            "Customer {CustomerId}",
            "Amazon Q session {WisdomSessionArn}",
            "{Name}",
            "Voice authentication from {VoiceAuthenticationThreshold}",
            "Fraud detection from {FraudDetectionThreshold}",
            "Voice ID stream: {IsVoiceIdStreamingEnabled|lower}",
            "Watchlist {WatchlistId}",
            "{Description}",
            "{References}",
        ),
        (
            "customer {CustomerId}",
            "{Description}",
            "voice authentication: {IsVoiceAuthenticationEnabled|lower}",
            "fraud detection: {IsFraudDetectionEnabled|lower}",
            "{References}",
        ),
    ),
    "UpdateContactEventHooks": Saying("Set event flow", ("{EventHooks}",), ("{EventHooksConfiguration}",)),
    "UpdateContactMediaProcessing": Saying(
        "Set message processing",
        ("{ChatProcessor.LambdaProcessorARN}",),
        ("enabled: {ChatProcessor.ProcessingEnabled|lower}",),
    ),
    "UpdateContactMediaStreamingBehavior": Saying(
        "Start or stop media streaming",
        ("Media streaming {MediaStreamingState|lower}",),
        ("{Participants}",),
    ),
    "UpdateContactRecordingAndAnalyticsBehavior": Saying(
        "Set recording and analytics behavior",
        (),
        ("voice: {VoiceBehavior}", "chat: {ChatBehavior}", "screen: {ScreenRecordingBehavior}"),
        "Recording and analytics",
    ),
    "UpdateContactRecordingBehavior": Saying(
        "Set recording and analytics behavior",
        ("Record {RecordingBehavior.RecordedParticipants}",),
        (
            "automated part: {RecordingBehavior.IVRRecordingBehavior|lower}",
            "analytics: {AnalyticsBehavior.Enabled|lower}, {AnalyticsBehavior.AnalyticsLanguage}",
        ),
        "Record nobody",
    ),
    "UpdateContactRoutingBehavior": Saying(
        "Change routing priority / age",
        ("Priority {QueuePriority}", "Queue age by {QueueTimeAdjustmentSeconds|duration}"),
    ),
    "UpdateContactRoutingCriteria": Saying("Set routing criteria", ("{RoutingCriteria.Steps}",)),
    "UpdateContactTargetQueue": Saying("Set working queue", ("{QueueId}", "Agent {AgentId}")),
    "UpdateContactTextToSpeechVoice": Saying(
        "Set voice",
        ("{TextToSpeechVoice}",),
        ("{TextToSpeechEngine}", "style: {TextToSpeechStyle|lower}"),
    ),
    "UpdateCustomerProfile": Saying("Customer profiles: update profile", _PROFILE, _READ),
    "UpdateFlowAttributes": Saying("Set flow attributes", ("{FlowAttributes}",)),
    "UpdateFlowLoggingBehavior": Saying("Set logging behavior", ("Logging {FlowLoggingBehavior|lower}",)),
    "UpdatePreviousContactParticipantState": Saying(
        "Hold customer or agent", ("{PreviousContactParticipantState|words}",)
    ),
    "UpsertDataTableValues": Saying("Data table: write", (), (), "Write values to a data table"),
    "Wait": Saying("Wait", ("Wait {TimeLimitSeconds|duration}",), ("or {Events|words}",)),
}
