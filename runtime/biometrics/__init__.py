"""The voice biometric gate: a caller proves who they are by voice, and the proof belongs to one contact only.

========================  ==============================================================================
``gate``                  asked by a flow: what next for this contact, and is it proven?
``webhook``               asked by the telephony provider: what to say, what to record, whom to judge
``erase``, ``retention``  forget a caller, on request or when unused for long
``machine``               every decision about a caller's state: pure, no clock, no I/O
``table``                 carries a decision out: one conditional write each
``provider``              what a voice biometrics provider must be able to do; ``voiceit`` and
                          ``lambda_provider`` do it
========================  ==============================================================================

Source: guide 004 (VoiceIt and Twilio demo), and what it leaves open: see docs/voice-biometrics.md.
"""
