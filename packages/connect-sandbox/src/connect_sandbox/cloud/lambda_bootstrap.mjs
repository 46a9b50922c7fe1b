// What runs inside a Node.js function's own process: the counterpart of lambda_bootstrap.py, with the same frames.
// Handlers may be async, take a callback, or use context.done/succeed/fail; CommonJS and ES modules both load.
import { createRequire } from "node:module";
import { existsSync, writeSync } from "node:fs";
import { Socket } from "node:net";
import path from "node:path";
import { pathToFileURL } from "node:url";

const MARKER = "\u0000connect-bridges-invocation-end:";
const [, , descriptor, taskRoot] = process.argv;
const channel = new Socket({ fd: Number(descriptor), readable: true, writable: true });

function send(frame) {
  const data = Buffer.from(JSON.stringify(frame), "utf8");
  const head = Buffer.alloc(4);
  head.writeUInt32BE(data.length);
  channel.write(Buffer.concat([head, data]));
}

function cpuSeconds() {
  const used = process.cpuUsage();
  return (used.user + used.system) / 1e6;
}

const endOfOutput = (requestId) => writeSync(1, `${MARKER}${requestId}\n`);

function describe(error, requestId) {
  const known = error instanceof Error;
  return {
    errorMessage: known ? error.message : String(error),
    errorType: known ? error.name : typeof error,
    requestId,
    stackTrace: known && error.stack ? error.stack.split("\n") : [],
  };
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

function makeContext(frame, settle) {
  const env = process.env;
  return {
    awsRequestId: frame.request_id,
    invokedFunctionArn: frame.function_arn,
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    callbackWaitsForEmptyEventLoop: false,
    getRemainingTimeInMillis: () => Math.max(Math.floor(frame.deadline_ms - Date.now()), 0),
    done: (error, value) => (error ? settle.reject(error) : settle.resolve(value)),
    succeed: (value) => settle.resolve(value),
    fail: (error) => settle.reject(error),
  };
}

function run(handler, frame) {
  return new Promise((resolve, reject) => {
    const callback = (error, value) => (error ? reject(error) : resolve(value));
    const returned = handler(JSON.parse(frame.payload), makeContext(frame, { resolve, reject }), callback);
    if (typeof returned?.then === "function") returned.then(resolve, reject);
  });
}

async function serve(handler, frame) {
  process.env._X_AMZN_TRACE_ID = frame.trace_id;
  if (frame.delay_seconds) await new Promise((resolve) => setTimeout(resolve, frame.delay_seconds * 1000));
  if (frame.crash) process.exit(1);
  let answer;
  try {
    answer = { payload: JSON.stringify((await run(handler, frame)) ?? null) };
  } catch (error) {
    answer = { error: describe(error, frame.request_id) };
    console.error(`${answer.error.errorType}: ${answer.error.errorMessage}`);
  }
  endOfOutput(frame.request_id);
  send(answer);
}

let handler;
try {
  handler = await loadHandler(process.env._HANDLER);
  send({ ready: true, cpu_seconds: cpuSeconds() });
} catch (error) {
  console.error(error);
  send({ init_error: describe(error, "") });
  endOfOutput("init");
}

let received = Buffer.alloc(0);
channel.on("end", () => process.exit(0));
channel.on("data", async (part) => {
  received = Buffer.concat([received, part]);
  while (received.length >= 4 && received.length >= 4 + received.readUInt32BE(0)) {
    const size = received.readUInt32BE(0);
    const frame = JSON.parse(received.subarray(4, 4 + size).toString("utf8"));
    received = received.subarray(4 + size);
    await serve(handler, frame);
  }
});
