// The module `cfn-response`, which CloudFormation adds to an inline Node.js function that requires it: after the
// CloudFormation user guide, "cfn-response module".
exports.SUCCESS = "SUCCESS";
exports.FAILED = "FAILED";

// Answers a custom resource's request, and ends the invocation where the runtime lets it.
exports.send = (event, context, status, data, physicalId, noEcho) => {
  const body = JSON.stringify({
    Status: status,
    Reason: `See the details in CloudWatch Log Stream: ${context.logStreamName}`,
    PhysicalResourceId: physicalId || context.logStreamName,
    StackId: event.StackId,
    RequestId: event.RequestId,
    LogicalResourceId: event.LogicalResourceId,
    NoEcho: noEcho || false,
    Data: data,
  });
  console.log("Response body:\n", body);
  const url = new URL(event.ResponseURL);
  const { request } = require(url.protocol === "http:" ? "http" : "https");
  return new Promise((resolve) => {
    const end = () => {
      context.done?.();
      resolve();
    };
    const headers = { "content-type": "", "content-length": Buffer.byteLength(body) };
    const asked = request(url, { method: "PUT", headers }, (answer) => {
      console.log(`Status code: ${answer.statusCode}`);
      answer.resume();
      end();
    });
    asked.on("error", (error) => {
      console.log(`send(..) failed: ${error}`);
      end();
    });
    asked.end(body);
  });
};
