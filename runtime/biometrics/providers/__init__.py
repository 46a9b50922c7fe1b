"""Providers of voice biometrics.

``base`` says what one must be able to do; ``voiceit`` and ``function`` (a Lambda function of your own) do it;
``selection`` picks the one that the environment names.
"""
