import { CfnOutput, RemovalPolicy, Stack, type StackProps } from "aws-cdk-lib";
import * as dynamodb from "aws-cdk-lib/aws-dynamodb";
import * as cr from "aws-cdk-lib/custom-resources";
import type { Construct } from "constructs";

/** The patients by telephone number, with one of them to begin with. */
export class PatientsStack extends Stack {
  public readonly table: dynamodb.TableV2;

  public constructor(scope: Construct, id: string, props: StackProps) {
    super(scope, id, props);
    this.table = new dynamodb.TableV2(this, "Patients", {
      partitionKey: { name: "phone", type: dynamodb.AttributeType.STRING },
      removalPolicy: RemovalPolicy.DESTROY,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    });
    const first = { phone: { S: "+12065550142" }, name: { S: "Grace" }, visits: { N: "3" } };
    new cr.AwsCustomResource(this, "FirstPatient", {
      onCreate: {
        service: "DynamoDB",
        action: "putItem",
        parameters: { TableName: this.table.tableName, Item: first },
        physicalResourceId: cr.PhysicalResourceId.of("first-patient"),
      },
      policy: cr.AwsCustomResourcePolicy.fromSdkCalls({ resources: [this.table.tableArn] }),
      installLatestAwsSdk: false,
    });
    new CfnOutput(this, "PatientsTable", { value: this.table.tableName });
  }
}
