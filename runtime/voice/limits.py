"""Limits and defaults of the voice path, stated once: the functions obey them, constructs and settings read them.

Standard library only: the constructs load this file by its path. A range is lowest and highest, both included.
"""

from __future__ import annotations

import re

CONNECTION_SECONDS = 60
"""How long the external voice system may take to answer a transfer."""
CONNECTION_SECONDS_RANGE = (1, 600)
"""Amazon Connect's own limits, as ThirdPartyConnectionTimeLimitSeconds takes them."""

METADATA_ATTRIBUTE = "customData"
"""The contact attribute that takes the metadata."""
METADATA_ATTRIBUTE_NAME = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)

PORT = 5061
"""SIP over TLS."""
PORT_RANGE = (1, 65_535)

CONNECTOR_NAME = re.compile(r"[a-zA-Z0-9 _.-]{1,256}", re.ASCII)
"""What Amazon Chime takes as a voice connector's name."""

PROTOCOLS = ("TCP", "UDP")
SESSION_BORDER_CONTROLLER_TYPES = (
    "RIBBON_SBC",
    "ORACLE_ACME_PACKET_SBC",
    "AVAYA_SBCE",
    "CISCO_UNIFIED_BORDER_ELEMENT",
    "AUDIOCODES_MEDIANT_SBC",
)
SESSION_BORDER_CONTROLLER_TYPE = "AUDIOCODES_MEDIANT_SBC"
LOG_RETENTION_DAYS = 30
"""How long Amazon's logs of a connector are kept: they hold callers' numbers."""
LOG_RETENTION_CHOICES = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
"""What CloudWatch Logs takes (API reference, PutRetentionPolicy)."""

CONTACT_CENTER_SYSTEM_TYPES = (
    "GENESYS_ENGAGE_ON_PREMISES",
    "AVAYA_AURA_CALL_CENTER_ELITE",
    "AVAYA_AURA_CONTACT_CENTER",
    "CISCO_UNIFIED_CONTACT_CENTER_ENTERPRISE",
)
