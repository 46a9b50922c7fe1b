"""The voice biometric gate: a caller proves who they are by voice, and the proof belongs to one contact only.

========================  ==============================================================================
``gate``                  asked by a flow: what next for this contact, and is it proven?
``webhook``               asked by the telephony provider: what to say, what to record, whom to judge
``erase``, ``retention``  forget a caller, on request or when unused for long
``machine``               every decision about a caller's state: pure, no clock, no I/O
``table``                 carries a decision out: one conditional write each
``providers``             what a voice biometrics provider must be able to do, and those that do it
``removal``               what ``erase`` and ``retention`` have in common
========================  ==============================================================================

Source: VoiceIt and Twilio's demo guide (docs/guides.md#biometrics-call-1), and what it leaves open: see
docs/voice-biometrics.md.
"""
