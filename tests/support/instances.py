"""Settings of an instance that an environment creates, with one of everything that can be set."""

from __future__ import annotations

import copy
from typing import Any

PUBLIC_KEY = "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A\n-----END PUBLIC KEY-----\n"
_PLACE = "us-east-1:123456789012"
_EVERYTHING: dict[str, Any] = {
    "alias": "example-company-new",
    "identityManagement": "CONNECT_MANAGED",
    "attributes": {"multiPartyConference": True, "contactLens": False},
    "storage": {
        "callRecordings": {"prefix": "calls", "expireAfterDays": 90},
        "chatTranscripts": {"bucketName": "example-transcripts"},
        "reports": {},
        "contactRecords": {"retentionDays": 14},
        "agentEvents": {"streamArn": f"arn:aws:kinesis:{_PLACE}:stream/events"},
        "liveMedia": {"prefix": "example", "retentionHours": 48},
    },
    "hours": {
        "Weekdays": {
            "timeZone": "America/New_York",
            "openings": [
                {
                    "days": ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY"],
                    "opens": "09:00",
                    "closes": "17:00",
                },
                {"days": ["SATURDAY"], "opens": "10:00", "closes": "14:00"},
            ],
        },
        "Always": {"timeZone": "UTC", "name": "Around the clock", "description": "Nights and Sundays too"},
    },
    "queues": {
        "Support": {"hours": "Weekdays", "maxContacts": 50, "callerIdName": "Example Company"},
        "Nights": {"hours": "Always", "name": "Night support", "description": "Who waits at night"},
    },
    "routingProfiles": {
        "Agents": {
            "queues": ["Support", "Nights"],
            "outboundQueue": "Nights",
            "channels": {"VOICE": 1, "CHAT": 3},
        }
    },
    "securityProfiles": {"Support agents": {"permissions": ["BasicAgentAccess", "OutboundCallAccess"]}},
    "users": {
        "ana": {
            "firstName": "Ana",
            "lastName": "Silva",
            "email": "ana@example.com",
            "routingProfile": "Agents",
            "securityProfiles": ["Support agents"],
        }
    },
    "quickConnects": {"Front desk": {"phoneNumber": "+12065550100"}},
    "origins": ["https://crm.example.com"],
    "securityKeys": [PUBLIC_KEY],
    "lexBots": [f"arn:aws:lex:{_PLACE}:bot-alias/ABCDEFGHIJ/TSTALIASID"],
    "applications": {
        "Assist": {
            "url": "https://assist.example.com",
            "namespace": "com.example.assist",
            "permissions": ["User.Details.View"],
        }
    },
    "numbers": {
        "Support": {"countryCode": "US", "flow": "voice", "prefix": "+1206", "description": "Support line"},
        "Accounts": {"countryCode": "US", "type": "TOLL_FREE", "flow": "biometrics"},
    },
}


def everything() -> dict[str, Any]:
    """Return settings of `instance` that use every section."""
    return copy.deepcopy(_EVERYTHING)


def new_environment(context: dict[str, Any]) -> dict[str, Any]:
    """Return cdk.json's `dev` with everything in its instance, all three bridges, and a flow that calls another."""
    settings: dict[str, Any] = copy.deepcopy(context["environments"]["new"])
    settings["instance"] = everything()
    settings["chat"] = {"webhookUrl": "https://bot.example.com/hook", "queue": "Support"}
    settings["biometrics"] = {
        "telephony": {"number": "+12065550188"},
        "queue": "Support",
        "unverifiedQueue": "Nights",
        "nextFlow": "voice",
    }
    return settings
