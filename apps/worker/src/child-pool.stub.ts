/**
 * What the children run in the pool's tests instead of a conversion: the file's name says how to behave.
 * It lives here because a child may read nothing outside the code.
 */
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import net from "node:net";
import { lookup } from "node:dns/promises";
import { Fault } from "@sluice/core/domain/fault";
import type { ConvertIo, ConvertOutcome, ConvertRequest } from "@sluice/core/ports/converter";

const MIB = 2 ** 20;

export async function convert(request: ConvertRequest, io: ConvertIo, signal: AbortSignal): Promise<ConvertOutcome> {
  const act = ACTS[request.name];
  if (!act) throw new Error(`no act ${request.name}`);
  return say(await act(io, signal, request));
}

/** Any text as an outcome. */
function say(text: unknown): ConvertOutcome {
  return { kind: "opaque", detected: { format: "opaque", compression: "none", by: "content" }, contentType: JSON.stringify(text ?? null) };
}

type Act = (io: ConvertIo, signal: AbortSignal, request: ConvertRequest) => Promise<unknown>;

const ACTS: Record<string, Act> = {
  copy: async (io, _signal, request) => {
    const part = await io.openPart("main");
    for (let at = 0; at < request.bytes; at += MIB) await part.write(await io.read(at, Math.min(MIB, request.bytes - at)));
    io.progress(1, request.bytes);
    return part.close();
  },
  readWhole: async (io, _signal, request) => {
    const bytes = await io.read(0, request.bytes + 10_000_000);
    return { length: bytes.length, sum: bytes.reduce((sum, byte) => (sum + byte) % 65_536, 0) };
  },
  gush: async (io, _signal, request) => {
    const part = await io.openPart("main");
    const bytes = new Uint8Array(MIB);
    for (let at = 0; at < request.bytes; at += MIB) await part.write(bytes.fill(at / MIB));
    return part.close();
  },
  dropTwo: async (io) => {
    const half = await io.openPart("main");
    await half.write(Buffer.from("one"));
    await half.abort();
    const after = await half.write(Buffer.from("more")).catch((error: Error) => error.message);
    const whole = await io.openPart("main");
    await whole.write(Buffer.from("two"));
    await whole.close();
    await whole.abort();
    const part = await io.openPart("main");
    await part.write(Buffer.from("abc"));
    return { after, kept: await part.close() };
  },
  rejects: async (io) => {
    const sink = await io.openRejects();
    await sink.write(Buffer.from("{}\n"));
    return sink.close();
  },
  heap: async () => {
    const kept: unknown[] = [];
    for (;;) kept.push(Array.from({ length: 10_000 }, (_, i) => ({ i })));
  },
  buffers: async () => {
    const kept: Uint8Array[] = [];
    for (;;) {
      kept.push(new Uint8Array(16 * MIB).fill(1));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  },
  grow: async (io) => {
    await io.read(0, 1);
    return new Uint8Array(150 * MIB).fill(1).length;
  },
  spin: async (io) => {
    io.progress(0, 0);
    await new Promise((resolve) => setTimeout(resolve, 1));
    for (;;);
  },
  wait: (io, signal) => {
    io.progress(1, 1);
    return new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  },
  exit: async (io) => {
    await io.read(0, 1);
    process.exit(7);
  },
  exitAtOnce: async () => process.exit(7),
  kill: async (io) => {
    await io.read(0, 1);
    process.kill(process.pid, "SIGKILL");
    return new Promise(() => undefined);
  },
  trap: async () => {
    // A function whose whole body is `unreachable`.
    const wasm = Buffer.from("0061736d0100000001040160000003020100070801047472617000000a05010300000b", "hex");
    const engine = (
      globalThis as unknown as { WebAssembly: { instantiate(b: Uint8Array): Promise<{ instance: { exports: { trap(): void } } }> } }
    ).WebAssembly;
    (await engine.instantiate(wasm)).instance.exports.trap();
  },
  bug: async () => {
    throw new TypeError("cannot read properties of undefined");
  },
  fault: async () => {
    throw new Fault("unreadable", "line 3: no closing quote", { field: "line", value: 3 });
  },
  environment: async () => process.env,
  forbidden: async () => ({
    write: code(() => writeFileSync("/tmp/sluice-sandbox-was-here", "x")),
    read: code(() => readFileSync("/etc/passwd")),
    proc: code(() => readFileSync("/proc/self/environ")),
    spawn: code(() => spawn("true")),
    socket: code(() => net.connect(50999, "127.0.0.1")),
    listen: code(() => net.createServer().listen(0)),
    fetch: await fetch("http://127.0.0.1:50999/").then(
      () => "allowed",
      (error: Error) => (error.cause as { code?: string } | undefined)?.code,
    ),
    dns: code(() => void lookup("localhost")),
  }),
};

function code(act: () => unknown): string {
  try {
    act();
    return "allowed";
  } catch (error) {
    return (error as { code?: string }).code ?? "no code";
  }
}
