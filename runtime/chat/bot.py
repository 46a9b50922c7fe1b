"""Bring a bot into a chat: stream the chat, tell the bot; undo the first if the second fails."""

from __future__ import annotations

from runtime.chat.contact import ChatContact, ChatRequest
from runtime.chat.failures import BotNotReachedError, Reason
from runtime.chat.streaming import CALL_SECONDS, ContactStreaming
from runtime.chat.vendor_webhook import VendorWebhook
from runtime.chat.verification_token import VerificationToken
from runtime.shared.deadline import Deadline
from runtime.shared.logging import LOGGER


def start(
    request: ChatRequest,
    *,
    streaming: ContactStreaming,
    webhook: VendorWebhook,
    token: VerificationToken,
    deadline: Deadline,
) -> str:
    """Return the streaming id once the vendor knows about the chat. Raises BotNotReachedError.

    After an error nothing is streamed, save one case: StartContactStreaming timed out to the end, or never told the
    streaming's id, so that nobody knows whether it took effect, nor under which id to stop it; it then ends with the
    contact.
    """
    contact = request.contact
    if contact.channel not in {"", "CHAT"}:
        raise BotNotReachedError(
            Reason.NOT_A_CHAT, f"the contact's channel is {contact.channel[:20]}; only chats can be streamed"
        )
    # The token first: without it there is no use in starting.
    shown = token.current(deadline.earlier(2 * CALL_SECONDS))  # kept back for start and stop
    before_stop = deadline.earlier(CALL_SECONDS)  # kept back for StopContactStreaming
    streaming_id = streaming.start(contact, request.attempt, before_stop)
    try:
        key = streaming.request_id(contact, request.attempt)
        _announce(contact, shown, webhook, token, before_stop, key=key)
    except Exception:
        _undo(contact, streaming_id, streaming, deadline)
        raise
    return streaming_id


def _announce(
    contact: ChatContact,
    shown: str,
    webhook: VendorWebhook,
    token: VerificationToken,
    deadline: Deadline,
    *,
    key: str,
) -> None:
    # evidence: vendor-initialize-connection
    # Exactly the document of Kore's guide to chat (docs/guides.md#chat-1-2-4).
    document = {
        "ContactId": contact.contact_id,
        "InstanceId": contact.instance_id,
        "Type": "InitializeConnection",
    }
    try:
        return webhook.post(document, shown, deadline, key=key)
    except BotNotReachedError as error:
        if error.reason is not Reason.TOKEN_REFUSED:
            raise
        refusal = error
    for other in token.others(shown):
        try:
            webhook.post(document, other, deadline, key=key)
        except BotNotReachedError as error:
            if error.reason is not Reason.TOKEN_REFUSED:
                raise
        else:
            LOGGER.warning(
                "webhook accepted another version of the verification token: a rotation is under way"
            )
            return None
    raise refusal


def _undo(contact: ChatContact, streaming_id: str, streaming: ContactStreaming, deadline: Deadline) -> None:
    try:
        streaming.stop(contact, streaming_id, deadline)
    except BotNotReachedError as error:
        # The flow has to hear of the first failure, not of this one.
        LOGGER.warning("streaming not stopped", streaming_id=streaming_id, detail=str(error))
