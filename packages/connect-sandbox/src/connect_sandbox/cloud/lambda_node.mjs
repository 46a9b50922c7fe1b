// The runtime in a Node.js function's own process: a small client of the Runtime API, after AWS's aws-lambda-ric
// (3.3 for runtimes up to Node.js 22, 4.0 for later ones), which installs only where its C++ part can be compiled.
// Arguments: HANDLER, TASK_ROOT. NODE_PATH: where the layers and the AWS SDK are.
// Not there: response streaming.
import { existsSync, readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { createRequire, register, syncBuiltinESMExports } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { format } from "node:util";

const API = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime`;
const [, , handlerName, taskRoot] = process.argv;
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const METHODS = { log: "INFO", debug: "DEBUG", error: "ERROR", info: "INFO", trace: "TRACE", warn: "WARN" };
const LEVELS = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
const asJson = process.env.AWS_LAMBDA_LOG_FORMAT?.toUpperCase() === "JSON";
const least = asJson ? LEVELS.indexOf(process.env.AWS_LAMBDA_LOG_LEVEL?.toUpperCase() ?? "INFO") : 0;
// From Node.js 24 on a handler returns a promise or its answer; there are no callbacks.
const callbacks = Number(/nodejs(\d+)/.exec(process.env.AWS_EXECUTION_ENV)?.[1] ?? 0) < 24;
const SDK = /^(@aws-sdk\/[^/]+|@smithy\/[^/]+)/;
let requestId;

class RuntimeError extends Error {
  constructor(kind, message, stack) {
    super(message);
    this.name = `Runtime.${kind}`;
    if (stack) this.stack = stack;
  }
}

// -- the log: one event a call, its lines parted by carriage returns

function withErrors(key, value) {
  if (!(value instanceof Error)) return value;
  const told = { errorType: value.constructor?.name ?? "UnknownError", errorMessage: value.message };
  return { ...told, stackTrace: value.stack?.split("\n"), ...value };
}

function jsonLine(level, values) {
  const told = { timestamp: new Date().toISOString(), level, requestId };
  if (values.length === 1) {
    try {
      return JSON.stringify({ ...told, message: values[0] }, withErrors);
    } catch {
      return JSON.stringify({ ...told, message: format(values[0]) }); // circular
    }
  }
  const error = values.find((value) => value instanceof Error);
  return JSON.stringify({ ...told, message: format(...values), ...(error && withErrors("", error)) });
}

function printAs(level, ...values) {
  if (LEVELS.indexOf(level) < least) return;
  const line = asJson
    ? jsonLine(level, values)
    : `${new Date().toISOString()}\t${requestId ?? "undefined"}\t${level}\t${format(...values)}`;
  process.stdout.write(`${line.replaceAll("\n", "\r")}\n`);
}
for (const [name, level] of Object.entries(METHODS)) console[name] = (...values) => printAs(level, ...values);

// What was printed has to be in the pipe before the answer is.
const printed = () =>
  Promise.all([process.stdout, process.stderr].map((stream) => new Promise((resolve) => stream.write("", resolve))));

// -- the Runtime API

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

const likeError = (value) => ["name", "message", "stack"].every((key) => value?.[key] && typeof value[key] === "string");

function describe(error) {
  if (!(error instanceof Error) && !likeError(error)) {
    return { errorType: typeof error, errorMessage: String(error), trace: [] };
  }
  return { errorType: error.name, errorMessage: error.message, trace: error.stack?.split("\n") ?? [] };
}

function printError(what, thrown) {
  const error = thrown instanceof Error || likeError(thrown) ? thrown : new Error(thrown);
  if (asJson) return printAs("ERROR", error);
  const told = { errorType: error.name, errorMessage: error.message, code: error.code, ...error };
  let text;
  try {
    text = JSON.stringify({ ...told, stack: error.stack?.split("\n") });
  } catch {
    text = JSON.stringify(describe(error)); // it refers to itself, as an HTTP client's errors do
  }
  return printAs("ERROR", `${what} \t${text}`);
}

async function postError(where, error, what, headers = {}) {
  hint(error);
  printError(what, error);
  const described = describe(error);
  await printed();
  await call("POST", where, JSON.stringify(described), {
    "Content-Type": "application/json",
    "Lambda-Runtime-Function-Error-Type": described.errorType,
    ...headers,
  });
}

// Nobody caught it: the invocation, or the init, fails with it, and the process ends.
let leaving = false;
async function leave(error, what, status) {
  if (leaving) return;
  leaving = true;
  const where = requestId === undefined ? "/init/error" : `/invocation/${requestId}/error`;
  await postError(where, error, what, { Connection: "close" });
  process.exit(status);
}
process.on("uncaughtException", (error) => leave(error, "Uncaught Exception", 129));
process.on("unhandledRejection", (reason) => {
  const error = Object.assign(new RuntimeError("UnhandledPromiseRejection", String(reason)), { reason });
  leave(error, "Unhandled Promise Rejection", 128);
});

// -- answers to CloudFormation

// Its ResponseURL is an https URL without a port, and code relies on that: the CDK's custom resources take host and path
// of it. Here it is one of the sandbox's.
const securely = https.request;
https.request = (...told) => {
  const [first, second] = told;
  const asked = typeof first === "string" ? new URL(first) : first;
  const where = asked.path ?? `${asked.pathname}${asked.search}`;
  if (!where.startsWith("/_sandbox/cloudformation-response/")) return securely(...told);
  const { hostname, port } = new URL(process.env.AWS_ENDPOINT_URL);
  const { method, headers } = typeof second === "object" ? { ...asked, ...second } : asked;
  const listener = told.findLast((one) => typeof one === "function");
  return http.request({ hostname, port, path: where, method, headers }, listener);
};
syncBuiltinESMExports();

// -- the handler

function isModule(file) {
  for (let folder = path.dirname(file); folder.startsWith(taskRoot); folder = path.dirname(folder)) {
    const about = path.join(folder, "package.json");
    if (existsSync(about)) return JSON.parse(readFileSync(about, "utf8")).type === "module";
  }
  return false;
}

async function loadFile(base) {
  const require = createRequire(`${taskRoot}/`);
  for (const file of ["", ".js", ".mjs", ".cjs"].map((end) => base + end)) {
    if (!existsSync(file)) continue;
    const load = file.endsWith(".mjs") || (file.endsWith(".js") && isModule(file));
    return load ? import(pathToFileURL(file)) : require(file);
  }
  return require(path.relative(taskRoot, base));
}

// The way out, for what Lambda would have had.
function hint(error) {
  const missing = SDK.exec(/'(.*?)'/.exec(error?.message)?.[1] ?? "")?.[1];
  if (!missing || !/^(ERR_)?MODULE_NOT_FOUND$/.test(error.code) || error.message.includes("[sandbox:")) return;
  error.message += ` [sandbox: Lambda's Node.js runtimes have ${missing}, this machine has not: run`;
  error.message += ` npm install --no-save ${missing} in the app's folder, and deploy again]`;
}

async function loadHandler(name) {
  if (name.includes("..")) throw new RuntimeError("MalformedHandlerName", `'${name}' is not a valid handler name.`);
  const [, stem, exported] = /^([^.]*)\.(.*)$/.exec(path.basename(name)) ?? [];
  if (exported === undefined) throw new RuntimeError("MalformedHandlerName", "Bad handler");
  let loaded;
  try {
    loaded = await loadFile(path.resolve(taskRoot, path.dirname(name), stem));
  } catch (error) {
    if (error instanceof SyntaxError) throw new RuntimeError("UserCodeSyntaxError", String(error), error.stack);
    hint(error);
    if (error.code === "MODULE_NOT_FOUND") throw new RuntimeError("ImportModuleError", String(error));
    throw error;
  }
  const within = (object) => exported.split(".").reduce((nested, key) => nested?.[key], object);
  const handler = within(loaded) ?? (callbacks ? undefined : within(loaded.default));
  if (!handler) throw new RuntimeError("HandlerNotFound", `${name} is undefined or not exported`);
  if (typeof handler !== "function") throw new RuntimeError("HandlerNotFound", `${name} is not a function`);
  if (!callbacks && handler.length >= 3) {
    const message = "callback-based handlers are gone since Node.js 24; return a promise from an async handler";
    throw new RuntimeError("CallbackHandlerDeprecated", message);
  }
  return handler;
}

// Settles when an invocation has its answer: by promise, callback or context; or when nothing is left that could give
// one. A callback's answer waits until nothing is left to do, unless the handler said it need not.
let whenIdle = () => {};
process.on("beforeExit", () => whenIdle());

function run(handler, event, headers) {
  return new Promise((resolve, reject) => {
    const clientContext = headers["lambda-runtime-client-context"];
    const env = process.env;
    const done = (error, value) => (error ? reject(error) : resolve(value));
    const context = {
      awsRequestId: requestId,
      invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
      clientContext: clientContext && JSON.parse(clientContext),
      functionName: env.AWS_LAMBDA_FUNCTION_NAME,
      functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
      memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
      logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
      logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
      getRemainingTimeInMillis: () => Math.max(Number(headers["lambda-runtime-deadline-ms"]) - Date.now(), 0),
    };
    if (callbacks) {
      context.callbackWaitsForEmptyEventLoop = true;
      Object.assign(context, { done, succeed: resolve, fail: (error) => reject(error ?? "handled") });
    }
    const isAsync = handler.constructor?.name === "AsyncFunction";
    whenIdle = () => {
      const message =
        "The Lambda runtime client detected an unexpected Node.js exit code. This is most commonly caused by a Promise that was never settled.";
      return isAsync || !callbacks ? reject(new RuntimeError("NodeJsExit", message)) : resolve(null);
    };
    const callback = (error, value) => {
      if (error !== undefined && error !== null) return reject(error);
      if (!context.callbackWaitsForEmptyEventLoop) return resolve(value);
      whenIdle = () => resolve(value);
    };
    const returned = handler(JSON.parse(event), context, ...(callbacks ? [callback] : []));
    if (typeof returned?.then === "function") returned.then(resolve, reject);
    else if (!callbacks) resolve(returned);
  });
}

function serialize(answer) {
  try {
    return JSON.stringify(answer ?? null) ?? "null";
  } catch {
    throw new RuntimeError("JSONStringifyError", "Unable to stringify response body");
  }
}

async function main() {
  if (process.env.NODE_PATH) register("./lambda_node_modules.mjs", import.meta.url);
  let handler;
  try {
    handler = await loadHandler(handlerName);
  } catch (error) {
    await postError("/init/error", error, "Uncaught Exception", { Connection: "close" });
    process.exit(1);
  }
  for (;;) {
    const next = await call("GET", "/invocation/next");
    requestId = next.headers["lambda-runtime-aws-request-id"];
    process.env._X_AMZN_TRACE_ID = next.headers["lambda-runtime-trace-id"];
    try {
      const answer = serialize(await run(handler, next.text, next.headers));
      whenIdle = () => {};
      if (leaving) return;
      await printed();
      await call("POST", `/invocation/${requestId}/response`, answer, { "Content-Type": "application/json" });
    } catch (error) {
      whenIdle = () => {};
      if (leaving) return;
      await postError(`/invocation/${requestId}/error`, error, "Invoke Error");
    }
  }
}

main();
