"""Whether a text is known by now, or a CDK token that only CloudFormation will resolve."""

from __future__ import annotations

from aws_cdk import Token

_MARKER = "${Token["  # how the CDK writes a token into a text


def is_token(text: str) -> bool:
    """Tell whether a text is or holds a token.

    The CDK is asked only about a text that may hold one: a question to it goes to Node.js and back, and nearly every
    text that is checked is known.
    """
    return _MARKER in text and Token.is_unresolved(text)
