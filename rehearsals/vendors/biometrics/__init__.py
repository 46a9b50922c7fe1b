"""Fakes of the vendors of the voice biometric gate: Twilio, which has the caller, and VoiceIt, which judges.

Both speak HTTP on the loopback interface, as the vendors document it: the deployed functions reach them by address, and
Twilio's webhooks reach the deployed REST API. What they cannot do fails by name. Example Voice is the made-up vendor of
examples/own_voice_check.
"""

from rehearsals.vendors.biometrics.dialler import LOST, DirectCall, TwilioDialler
from rehearsals.vendors.biometrics.example_voice import ExampleVoice
from rehearsals.vendors.biometrics.twilio import Twilio, Webhook
from rehearsals.vendors.biometrics.voiceit import VoiceIt
from rehearsals.vendors.biometrics.wav import Utterance

__all__ = ["LOST", "DirectCall", "ExampleVoice", "Twilio", "TwilioDialler", "Utterance", "VoiceIt", "Webhook"]
