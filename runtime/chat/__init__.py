"""The chat stream bridge: a chat is streamed to an external bot, and the flow learns whether the bot was reached.

``start`` is what the flow's Lambda block invokes: it starts (or stops) the streaming of a contact and tells the
vendor's webhook about it. ``key_age`` watches the age of the vendor's access keys, where a vendor needs keys.

``contact`` reads the event, ``bot`` holds the decisions; ``streaming`` (Amazon Connect), ``verification_token``
(Secrets Manager) and ``vendor_webhook`` are the modules that talk to somebody, all inside one deadline.
"""
