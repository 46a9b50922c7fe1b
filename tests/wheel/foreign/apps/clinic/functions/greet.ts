import { DynamoDBClient, UpdateItemCommand } from "@aws-sdk/client-dynamodb";

interface ConnectEvent {
  Details: { ContactData: { CustomerEndpoint: { Address: string } } };
}

const client = new DynamoDBClient({});

export const handler = async (event: ConnectEvent): Promise<Record<string, string>> => {
  const phone = event.Details.ContactData.CustomerEndpoint.Address;
  const { Attributes } = await client.send(
    new UpdateItemCommand({
      TableName: process.env.PATIENTS,
      Key: { phone: { S: phone } },
      UpdateExpression: "ADD visits :one",
      ExpressionAttributeValues: { ":one": { N: "1" } },
      ReturnValues: "ALL_NEW",
    }),
  );
  console.info({ greeted: phone, node: process.pid });
  return { name: Attributes?.name?.S ?? "stranger", visits: Attributes?.visits?.N ?? "?" };
};
