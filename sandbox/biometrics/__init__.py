"""Stand-ins for the vendors of the voice biometric gate: Twilio, which has the caller, and VoiceIt, which judges.

Both speak HTTP on the loopback interface, as the vendors document it: the deployed functions reach them by address, and
Twilio's webhooks reach the deployed REST API. What they cannot do fails by name. Example Voice is the made-up vendor of
examples/own_voice_check.
"""

from connect_bridges.sandbox.biometrics.dialler import DirectCall, TwilioDialler
from connect_bridges.sandbox.biometrics.example_voice import ExampleVoice
from connect_bridges.sandbox.biometrics.twilio import Twilio, Webhook
from connect_bridges.sandbox.biometrics.voiceit import VoiceIt
from connect_bridges.sandbox.biometrics.wav import Utterance

__all__ = ["DirectCall", "ExampleVoice", "Twilio", "TwilioDialler", "Utterance", "VoiceIt", "Webhook"]
