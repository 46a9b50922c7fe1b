import { Duration, Stack, type StackProps, CfnOutput } from "aws-cdk-lib";
import * as connect from "aws-cdk-lib/aws-connect";
import type * as dynamodb from "aws-cdk-lib/aws-dynamodb";
import * as iam from "aws-cdk-lib/aws-iam";
import * as lambda from "aws-cdk-lib/aws-lambda";
import { NodejsFunction, OutputFormat } from "aws-cdk-lib/aws-lambda-nodejs";
import * as logs from "aws-cdk-lib/aws-logs";
import type { Construct } from "constructs";
import { fileURLToPath } from "node:url";
import { ask, flow, hangUp, invoke, say } from "./flow.ts";

interface LineProps extends StackProps {
  readonly clinic: { name: string; timeZone: string };
  readonly patients: dynamodb.ITableV2;
}

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** The clinic's telephone line. */
export class LineStack extends Stack {
  public constructor(scope: Construct, id: string, props: LineProps) {
    super(scope, id, props);
    const instance = new connect.CfnInstance(this, "Instance", {
      identityManagementType: "CONNECT_MANAGED",
      instanceAlias: "harbour-dental",
      attributes: { inboundCalls: true, outboundCalls: false, contactflowLogs: true },
    });

    // TypeScript, bundled as an ES module, with the AWS SDK left to Lambda.
    const greet = new NodejsFunction(this, "Greet", {
      entry: here("../functions/greet.ts"),
      runtime: lambda.Runtime.NODEJS_22_X,
      architecture: lambda.Architecture.ARM_64,
      memorySize: 256,
      timeout: Duration.seconds(3),
      environment: { PATIENTS: props.patients.tableName },
      bundling: { format: OutputFormat.ESM, minify: true, sourceMap: true },
      loggingFormat: lambda.LoggingFormat.JSON,
      logGroup: new logs.LogGroup(this, "GreetLogs", { logGroupName: "/clinic/greet" }),
    });
    props.patients.grantReadWriteData(greet);

    // CommonJS with a callback, in the template.
    const book = new lambda.Function(this, "Book", {
      runtime: lambda.Runtime.NODEJS_22_X,
      handler: "index.book",
      code: lambda.Code.fromInline(`
        const days = ["Monday", "Tuesday"];
        exports.book = function (event, context, callback) {
          context.callbackWaitsForEmptyEventLoop = false;
          const caller = event.Details.ContactData.CustomerEndpoint.Address;
          console.log("booking for", caller);
          setTimeout(() => callback(null, { day: days[caller.length % 2] }), 5);
        };`),
    });

    // Plain JavaScript in a folder; one handler fails, the other never ends.
    const desk = lambda.Code.fromAsset(here("../functions/desk"));
    const functions: Record<string, lambda.Function> = { Greet: greet, Book: book };
    for (const [name, handler] of Object.entries({ Cancel: "desk.cancel", Wait: "desk.wait" })) {
      functions[name] = new lambda.Function(this, name, {
        runtime: lambda.Runtime.NODEJS_22_X,
        handler,
        code: desk,
        timeout: Duration.seconds(1),
      });
    }

    const callable = Object.entries(functions).map(([name, fn]) => {
      fn.addPermission("Connect", {
        principal: new iam.ServicePrincipal("connect.amazonaws.com"),
        sourceAccount: this.account,
        sourceArn: instance.attrArn,
      });
      return new connect.CfnIntegrationAssociation(this, `${name}Association`, {
        instanceId: instance.attrArn,
        integrationType: "LAMBDA_FUNCTION",
        integrationArn: fn.functionArn,
      });
    });

    const line = new connect.CfnContactFlow(this, "Line", {
      instanceArn: instance.attrArn,
      name: "Reception",
      type: "CONTACT_FLOW",
      content: flow(
        invoke("greet", greet.functionArn, "welcome", "sorry"),
        say("welcome", `Welcome to ${props.clinic.name}, $.External.name. This is your visit $.External.visits.`, "menu"),
        ask("menu", "Press 1 to book, 2 to cancel, 3 to wait.", { 1: "book", 2: "cancel", 3: "wait" }, "bye"),
        invoke("book", book.functionArn, "booked", "sorry"),
        say("booked", "See you on $.External.day.", "bye"),
        invoke("cancel", functions.Cancel!.functionArn, "bye", "sorry"),
        invoke("wait", functions.Wait!.functionArn, "bye", "sorry"),
        say("sorry", "Our desk does not answer.", "bye"),
        hangUp("bye"),
      ),
    });
    callable.forEach((association) => line.addResourceDependency(association));
    new CfnOutput(this, "LineArn", { value: line.attrContactFlowArn });
    for (const [name, fn] of Object.entries(functions)) new CfnOutput(this, `${name}Name`, { value: fn.functionName });
  }
}
