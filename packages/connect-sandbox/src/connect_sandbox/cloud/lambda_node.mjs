// The runtime in a Node.js function's own process: a small client of the Runtime API, after AWS's aws-lambda-ric, which
// installs only where its C++ part can be compiled. Arguments: HANDLER, TASK_ROOT.
// Handlers may be async, take a callback, or use context.done/succeed/fail; CommonJS and ES modules both load.
import { existsSync } from "node:fs";
import http from "node:http";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { format } from "node:util";

const API = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime`;
const [, , handlerName, taskRoot] = process.argv;
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const LEVELS = { log: "INFO", debug: "DEBUG", error: "ERROR", info: "INFO", trace: "TRACE", warn: "WARN" };
let requestId;

// What the console prints, as Lambda prints it: one event a call, its lines parted by carriage returns.
function printAs(level, ...values) {
  const text = format(...values).replaceAll("\n", "\r");
  process.stdout.write(`${new Date().toISOString()}\t${requestId ?? "undefined"}\t${level}\t${text}\n`);
}
for (const [name, level] of Object.entries(LEVELS)) console[name] = (...values) => printAs(level, ...values);

function call(method, where, body, headers = {}) {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { "Content-Length": Buffer.byteLength(body) };
    const request = http.request(API + where, { method, agent, headers: { ...headers, ...length } }, (answer) => {
      const parts = [];
      answer.on("data", (part) => parts.push(part));
      answer.on("end", () => resolve({ headers: answer.headers, text: Buffer.concat(parts).toString("utf8") }));
    });
    request.on("error", reject);
    request.end(body);
  });
}

// What was printed has to be in the pipe before the answer is.
const printed = () =>
  Promise.all([process.stdout, process.stderr].map((stream) => new Promise((resolve) => stream.write("", resolve))));

function describe(error) {
  const known = error instanceof Error;
  return {
    errorType: known ? error.name : typeof error,
    errorMessage: known ? error.message : String(error),
    trace: known && error.stack ? error.stack.split("\n") : [],
  };
}

async function postError(where, error, what) {
  const described = describe(error);
  const { trace, ...rest } = described;
  printAs("ERROR", `${what} \t${JSON.stringify({ ...rest, stack: trace })}`);
  await printed();
  await call("POST", where, JSON.stringify(described), {
    "Content-Type": "application/json",
    "Lambda-Runtime-Function-Error-Type": described.errorType,
  });
}

async function loadHandler(name) {
  const dot = name.lastIndexOf(".");
  const base = path.resolve(taskRoot, name.slice(0, dot));
  const file = [".mjs", ".js", ".cjs"].map((end) => base + end).find(existsSync);
  if (!file) {
    throw Object.assign(new Error(`Cannot find module '${name.slice(0, dot)}'`), { name: "Runtime.ImportModuleError" });
  }
  let loaded;
  try {
    loaded = file.endsWith(".mjs") ? await import(pathToFileURL(file)) : createRequire(file)(file);
  } catch (error) {
    if (error.code !== "ERR_REQUIRE_ESM") throw error;
    loaded = await import(pathToFileURL(file));
  }
  const handler = loaded[name.slice(dot + 1)] ?? loaded.default?.[name.slice(dot + 1)];
  if (typeof handler !== "function") {
    throw Object.assign(new Error(`${name} is undefined or not exported`), { name: "Runtime.HandlerNotFound" });
  }
  return handler;
}

function makeContext(headers, settle) {
  const env = process.env;
  const clientContext = headers["lambda-runtime-client-context"];
  return {
    awsRequestId: requestId,
    invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
    clientContext: clientContext && JSON.parse(clientContext),
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    callbackWaitsForEmptyEventLoop: false,
    getRemainingTimeInMillis: () => Math.max(Number(headers["lambda-runtime-deadline-ms"]) - Date.now(), 0),
    done: (error, value) => (error ? settle.reject(error) : settle.resolve(value)),
    succeed: (value) => settle.resolve(value),
    fail: (error) => settle.reject(error),
  };
}

function run(handler, event, headers) {
  return new Promise((resolve, reject) => {
    const callback = (error, value) => (error ? reject(error) : resolve(value));
    const returned = handler(JSON.parse(event), makeContext(headers, { resolve, reject }), callback);
    if (typeof returned?.then === "function") returned.then(resolve, reject);
  });
}

let handler;
try {
  handler = await loadHandler(handlerName);
} catch (error) {
  await postError("/init/error", error, "Uncaught Exception");
  process.exit(1);
}
for (;;) {
  const next = await call("GET", "/invocation/next");
  requestId = next.headers["lambda-runtime-aws-request-id"];
  process.env._X_AMZN_TRACE_ID = next.headers["lambda-runtime-trace-id"];
  try {
    const answer = JSON.stringify((await run(handler, next.text, next.headers)) ?? null);
    await printed();
    await call("POST", `/invocation/${requestId}/response`, answer, { "Content-Type": "application/json" });
  } catch (error) {
    await postError(`/invocation/${requestId}/error`, error, "Invoke Error");
  }
}
