"""The metadata bridge: an external voice system hands data to the flow that transferred the contact.

``store`` takes it over HTTPS, ``authorize`` guards that door with a token, ``retrieve`` gives it to the
flow. ``request`` checks what the external system sends, ``table`` reads and writes DynamoDB.
"""
