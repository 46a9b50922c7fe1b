"""Whether a text is known by now, or stands for one that comes later: a CDK token, or a lookup that has yet to run."""

from __future__ import annotations

from aws_cdk import Token

_MARKER = "${Token["  # how the CDK writes a token into a text
_LOOKUP = "dummy-value-for-"  # what StringParameter.value_from_lookup returns until the CDK CLI has looked
_NUMBER_TOKENS = -1e280  # below which the CDK's stand-ins for numbers are


def is_token(text: str) -> bool:
    """Tell whether a text is or holds a token.

    The CDK is asked only about a text that may hold one: a question to it goes to Node.js and back, and nearly every
    text that is checked is known.
    """
    return _MARKER in text and Token.is_unresolved(text)


def comes_later(value: object) -> bool:
    """Tell whether a value is not known yet, so that it cannot be checked now.

    That is a token, which CloudFormation resolves, or the stand-in of ``StringParameter.value_from_lookup``: the first
    pass of ``cdk synth`` has to get through with it, or the lookup would never run. Source: aws-cdk, pull request
    25302.
    """
    if isinstance(value, str):
        return _LOOKUP in value or is_token(value)
    if isinstance(value, float) and value < _NUMBER_TOKENS:
        return Token.is_unresolved(value)
    return False
