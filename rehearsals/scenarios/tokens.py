"""What a token is worth: one that leaked opens nothing for long, and a flood without one keeps nobody out."""

import threading
from uuid import uuid4

from connect_sandbox.cloud import FunctionFault

from rehearsals.scenarios.deployment import VoicePath
from rehearsals.scenarios.expect import expect, expect_that
from rehearsals.scenarios.registry import scenario
from rehearsals.scenarios.rehearsal import Rehearsal, same_json
from rehearsals.scenarios.voice import APOLOGIES, ATTRIBUTE, METADATA, METADATA_MISSING
from rehearsals.vendors.voice.external_voice_system import post
from rehearsals.vendors.voice.script import HangUp, PostMetadata

SIGN = "Sign the contact id"
UNSIGNED = "Transfer without a signature"
FLOOD, FLOODERS, VALID_POSTS = 600, 6, 12


@scenario("voice/leaked-token-is-useless", part="own_keys", alone=True)
def leaked_token_is_useless(rehearsal: Rehearsal) -> None:
    """Steal the vendor's token, and a contact's: they write for nobody else, and end with two rotations."""
    path, _ = rehearsal.deployment.own_keys
    call = rehearsal.call(path, PostMetadata(METADATA), HangUp())
    expect([posted.status for posted in call.posted], [200], "the API's answer to the vendor")
    call.contact.reaches(SIGN).does_not_reach(UNSIGNED).ends(queued="Support")
    expect_that(
        same_json(call.contact.attributes.get(ATTRIBUTE), METADATA), f"{ATTRIBUTE} should be what was posted"
    )
    its_token = call.vendor.invites[0].sip_headers["User-to-User"]

    rehearsal.note("somebody has stolen the vendor's token, and the token of the call above")
    with rehearsal.table_calls(path) as table_calls:
        answers = [
            _steals(rehearsal, path, str(uuid4())),
            _steals(rehearsal, path, str(uuid4()), its_token),
            _steals(rehearsal, path, call.contact.contact_id),
        ]
    expect(answers, [401, 403, 401], "the API's answers to the thief")
    expect(table_calls, [], "what the thief made the functions ask of DynamoDB")

    rehearsal.note("the same, while the contact cannot be signed: the call goes out without a token")
    rehearsal.inject(rehearsal.function_of(path, SIGN), FunctionFault("crash"))
    unsigned = rehearsal.call(path, PostMetadata(METADATA), HangUp())
    expect([posted.status for posted in unsigned.posted], [401], "the API's answer to the vendor")
    unsigned.contact.reaches(UNSIGNED).does_not_hear(*APOLOGIES).lacks_attributes(ATTRIBUTE)
    unsigned.contact.ends(queued="Support")

    secret = rehearsal.sandbox.stack_outputs(path.stack)["MetadataTokenSecretArn"]
    manager = rehearsal.sandbox.boto3_client("secretsmanager")
    manager.put_secret_value(SecretId=secret, SecretString=f"rotated-{uuid4().hex}")
    manager.put_secret_value(SecretId=secret, SecretString=path.token + "-new")
    try:
        status = _steals(rehearsal, path, call.contact.contact_id, its_token)
        expect(status, 403, "the API's answer to the stolen token after two rotations")
    finally:
        manager.put_secret_value(SecretId=secret, SecretString=path.token)
    again = _steals(rehearsal, path, call.contact.contact_id, its_token)
    expect(again, 200, "the API's answer to the vendor with its new token")
    logged = rehearsal.logged(path)
    for token in (path.token, its_token.partition(";")[0]):
        expect_that(token not in logged, "a token appears in a log")
    rehearsal.note("stolen tokens wrote for nobody", answers=answers)


@scenario("voice/flood-does-not-starve-the-vendor")
def flood_does_not_starve_the_vendor(rehearsal: Rehearsal) -> None:
    """Send far more requests without a token than the vendor may send with one: each of the vendor's arrives."""
    path = rehearsal.deployment.voice
    api = rehearsal.metadata_api(path)
    refused: list[int] = []

    def flood() -> None:
        for number in range(FLOOD // FLOODERS):
            step = PostMetadata({}, token="" if number % 10 else f"guess-{number}", retries=0)
            refused.append(int(post(api, str(uuid4()), {}, step)["status"]))

    flooders = [threading.Thread(target=flood) for _ in range(FLOODERS)]
    for flooder in flooders:
        flooder.start()
    answers: list[int] = []
    while any(flooder.is_alive() for flooder in flooders) or len(answers) < VALID_POSTS:
        answers.append(int(post(api, str(uuid4()), METADATA, PostMetadata(METADATA, retries=0))["status"]))
    for flooder in flooders:
        flooder.join()
    expect(sorted(set(answers)), [200], f"the API's answers to the vendor's {len(answers)} posts")
    expect(len(refused), FLOOD, "how many requests the flood sent")
    expect(sorted(set(refused)), [401, 403], "the API's answers to the flood")
    call = rehearsal.call(path, PostMetadata(METADATA), HangUp()).contact
    call.does_not_hear(METADATA_MISSING).ends(queued="Support")
    rehearsal.note(f"{len(refused)} requests were refused, and {len(answers)} of the vendor's went in")


def _steals(rehearsal: Rehearsal, path: VoicePath, contact_id: str, contact_token: str | None = None) -> int:
    """Post with the vendor's token for some contact; return the status."""
    step = PostMetadata({}, retries=0)
    answer = post(
        rehearsal.metadata_api(path), contact_id, {"stolen": True}, step, contact_token=contact_token
    )
    return int(answer["status"])
