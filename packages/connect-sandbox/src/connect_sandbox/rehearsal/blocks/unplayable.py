"""Block types that the flow language has and the sandbox cannot play, each with the reason.

A contact that reaches one stops with an error that names it. UNDOCUMENTED types occur in console exports, but no AWS
page says what they do.
"""

_UNDOCUMENTED = "no AWS page says what its parameters do"
_PROFILES = "the sandbox has no fake for Customer Profiles"
_CASES = "the sandbox has no fake for Amazon Connect Cases"
_VOICE_ID = "Amazon Connect Voice ID ended on 2026-05-20"

REASONS: dict[str, str] = {
    "AssociateContactToCustomerProfile": _PROFILES,
    "AuthenticateParticipant": "the sandbox has no fake for Amazon Cognito",
    "CheckSegmentMembership": _UNDOCUMENTED,
    "CheckVoiceId": _VOICE_ID,
    "CompleteOutboundCall": "outbound calls are not rehearsed",
    "CreateCase": _CASES,
    "CreateContact": _UNDOCUMENTED,
    "CreateCustomerProfile": _PROFILES,
    "CreatePersistentContactAssociation": "the sandbox keeps no transcripts of earlier chats",
    "CreateWisdomSession": "the sandbox has no fake for Amazon Q in Connect",
    "EvaluateDataTableValues": _UNDOCUMENTED,
    "GetCalculatedAttributesForCustomerProfile": _PROFILES,
    "GetCase": _CASES,
    "GetCustomerProfile": _PROFILES,
    "GetCustomerProfileObject": _PROFILES,
    "ListDataTableValues": _UNDOCUMENTED,
    "LoadContactContent": "it belongs to an e-mail, which is not rehearsed",
    "RenderMessageTemplate": "the sandbox has no fake for message templates",
    "ResumeContact": "it belongs to a task, which is not rehearsed",
    "RouteContactToAgent": _UNDOCUMENTED,
    "StartOutboundChatContact": "outbound messages are not rehearsed",
    "StartOutboundEmailContact": _UNDOCUMENTED,
    "StartVoiceIdStream": _VOICE_ID,
    "UpdateCase": _CASES,
    "UpdateContactMediaProcessing": "the sandbox runs no message processors on a chat",
    "UpdateCustomerProfile": _PROFILES,
    "UpsertDataTableValues": _UNDOCUMENTED,
}
