"""Telephone numbers as callers enter them, in E.164: international, or local to a country.

Sources: administrator guide, "Store customer input" (Amazon Connect adds the country code to a local number); ITU-T
E.164 and its list of country codes.
"""

from __future__ import annotations

import re

_E164 = re.compile(r"\+[1-9]\d{6,14}")
_NORTH_AMERICAN = re.compile(r"[2-9]\d{9}")
_KEEPS_ZERO = frozenset({"IT"})
"""Countries in which the first 0 of a number belongs to it; elsewhere it is only dialled inside the country."""
COUNTRY_CODES = {
    "AE": "971", "AR": "54", "AT": "43", "AU": "61", "BE": "32", "BR": "55", "CA": "1", "CH": "41", "CL": "56",
    "CN": "86", "CO": "57", "CZ": "420", "DE": "49", "DK": "45", "ES": "34", "FI": "358", "FR": "33", "GB": "44",
    "GR": "30", "HK": "852", "HU": "36", "ID": "62", "IE": "353", "IL": "972", "IN": "91", "IT": "39", "JP": "81",
    "KR": "82", "MX": "52", "MY": "60", "NL": "31", "NO": "47", "NZ": "64", "PE": "51", "PH": "63", "PL": "48",
    "PR": "1", "PT": "351", "RO": "40", "SA": "966", "SE": "46", "SG": "65", "TH": "66", "TR": "90", "TW": "886",
    "US": "1", "VN": "84", "ZA": "27",
}  # fmt: skip
"""The countries whose local numbers are known here, with their country codes."""


def international(digits: str) -> str | None:
    """Return what was entered as an E.164 number, None if it is none."""
    number = f"+{digits.lstrip('+')}"
    return number if _E164.fullmatch(number) else None


def local(digits: str, country: str) -> str | None:
    """Return a number of that country (ISO 3166, one of COUNTRY_CODES) in E.164, None if it cannot be one."""
    code = COUNTRY_CODES[country]
    if code == "1":
        national = digits.removeprefix("1")
        return f"+1{national}" if _NORTH_AMERICAN.fullmatch(national) else None
    return international(code + (digits if country in _KEEPS_ZERO else digits.removeprefix("0")))
