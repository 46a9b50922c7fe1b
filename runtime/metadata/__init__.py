"""The metadata bridge: an external voice system hands data to the flow that transferred the contact.

``store`` takes it over HTTPS, ``authorize`` guards that door with a token, ``retrieve`` gives it to the
flow. Each handler parses its event and environment and calls the function of the same name in ``logic``;
``table`` and ``secret`` are the only modules that talk to AWS.
"""
