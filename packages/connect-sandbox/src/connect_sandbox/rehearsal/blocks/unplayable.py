"""Block types that the flow language has and the sandbox cannot play, each with the reason.

A contact that reaches one stops with an error that names it. UNDOCUMENTED types occur in console exports, but no AWS
page says what they do.
"""

_UNDOCUMENTED = "no AWS page says what its parameters do"
_VOICE_ID = "Amazon Connect Voice ID ended on 2026-05-20"

REASONS: dict[str, str] = {
    "CheckSegmentMembership": _UNDOCUMENTED,
    "CheckVoiceId": _VOICE_ID,
    "CreateContact": _UNDOCUMENTED,
    "EvaluateDataTableValues": _UNDOCUMENTED,
    "ListDataTableValues": _UNDOCUMENTED,
    "RenderMessageTemplate": "no AWS page says how a flow reads what it renders",
    "RouteContactToAgent": _UNDOCUMENTED,
    "StartOutboundEmailContact": _UNDOCUMENTED,
    "StartVoiceIdStream": _VOICE_ID,
    "UpsertDataTableValues": _UNDOCUMENTED,
}
