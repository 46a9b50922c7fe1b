import os
import uuid

import boto3

queue = boto3.resource("sqs").Queue(os.environ["QUEUE_URL"])


def open_ticket(event, _context):
    caller = event["Details"]["ContactData"]["CustomerEndpoint"]["Address"]
    number = uuid.uuid5(uuid.NAMESPACE_URL, caller).hex[:4]
    queue.send_message(MessageBody=f"{number} {caller}")
    return {"number": number}
