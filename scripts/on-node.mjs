// Runs a tool of node_modules/.bin or a script (.ts too) on Node 24, whatever Node this is.
import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readSync, realpathSync } from "node:fs";
import { delimiter, dirname, join, resolve } from "node:path";
import { constants } from "node:os";
import { root, tools } from "./setup.mjs";

// Type stripping is what we run on; older 24s print a warning about it in every process.
const NODE_FLAGS = ["--disable-warning=ExperimentalWarning"];

/** The environment in which `node` is Node 24 and the project's tools are on the PATH. */
export function toolEnvironment(env = process.env) {
  const { node } = tools();
  const path = [dirname(node), join(root, "node_modules", ".bin"), env.PATH ?? ""].join(delimiter);
  return { ...env, PATH: path, TURBO_TELEMETRY_DISABLED: "1", DO_NOT_TRACK: "1" };
}

/** File and arguments for spawn. A name without a slash is a tool, anything else a script. */
export function commandLine(name, args = []) {
  const { node } = tools();
  const tool = join(root, "node_modules", ".bin", name);
  const isTool = !name.includes("/") && existsSync(tool);
  const file = isTool ? realpathSync(tool) : resolve(name);
  if (isTool && !isScript(file)) return { file, args };
  return { file: node, args: [...NODE_FLAGS, file, ...args] };
}

function isScript(file) {
  if (/\.[cm]?[jt]s$/.test(file)) return true;
  const start = Buffer.alloc(64);
  const fd = openSync(file, "r");
  readSync(fd, start, 0, start.length, 0);
  closeSync(fd);
  return /^#!.*\bnode\b/.test(start.toString("latin1"));
}

/**
 * Runs it to its end with this process' terminal, passes SIGINT, SIGTERM and SIGHUP on, and resolves to its exit code
 * (128 + number for a signal, as a shell says it).
 * @param {string} name
 * @param {string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, cwd?: string, signal?: AbortSignal }} options
 */
export function runOnNode(name, args = [], { env = process.env, cwd = process.cwd(), signal: stop } = {}) {
  const line = commandLine(name, args);
  return new Promise((resolveCode, reject) => {
    const child = spawn(line.file, line.args, { cwd, env: toolEnvironment(env), stdio: "inherit" });
    const forward = (signal) => child.kill(signal);
    // Ctrl-C in a terminal reaches the child by itself, as it is in our group; here we only have to outlive it.
    const signals = { SIGINT: process.stdin.isTTY ? () => {} : forward, SIGTERM: forward, SIGHUP: forward };
    for (const [signal, act] of Object.entries(signals)) process.on(signal, act);
    const end = () => child.kill("SIGTERM");
    stop?.addEventListener("abort", end, { once: true });
    const done = () => {
      stop?.removeEventListener("abort", end);
      for (const [signal, act] of Object.entries(signals)) process.off(signal, act);
    };
    child.on("error", (error) => {
      done();
      reject(error);
    });
    child.on("close", (code, signal) => {
      done();
      resolveCode(code ?? 128 + (constants.signals[signal] ?? 0));
    });
  });
}

/** Runs it without a terminal and resolves to its exit code and all it wrote. */
export function runQuietly(name, args = [], { env = process.env, cwd = process.cwd(), signal: stop } = {}) {
  const line = commandLine(name, args);
  return new Promise((resolveEnd, reject) => {
    const child = spawn(line.file, line.args, { cwd, env: toolEnvironment(env), stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text));
    const end = () => child.kill("SIGTERM");
    stop?.addEventListener("abort", end, { once: true });
    child.on("error", reject);
    child.on("close", (code, signal) => {
      stop?.removeEventListener("abort", end);
      resolveEnd({ code: code ?? 128 + (constants.signals[signal] ?? 0), output });
    });
  });
}
