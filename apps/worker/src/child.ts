/**
 * The sandboxed child: runs `convert` over the pipe on fd 3, one job at a time. It has no environment, may read nothing but
 * code, may write nothing, start nothing and connect to nothing. It ends when the pipe ends, so it never outlives its worker.
 *
 * usage: node --permission … child.ts <URL of the module that exports convert, and isWorn where its process can wear out>
 */
import { Socket } from "node:net";
import type { ConvertIo, ConvertOutcome, ConvertRequest } from "@sluice/core/ports/converter";
import { isFault } from "@sluice/core/domain/fault";
import { PipeIo } from "./child-io.ts";
import { type Ended, FRAME, FrameReader, type Thrown, frame, jsonFrame } from "./frames.ts";
import { denyNetwork } from "./no-network.ts";

type Convert = (request: ConvertRequest, io: ConvertIo, signal: AbortSignal) => Promise<ConvertOutcome>;

// Ctrl-C and a service manager's stop reach the whole group; the worker, which ends gracefully, decides what becomes of a job.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);
const pipe = new Socket({ fd: 3, readable: true, writable: true });
denyNetwork();
const send = (bytes: Buffer) => void pipe.write(bytes);
let running: { readonly no: number; readonly io: PipeIo; readonly abort: AbortController } | null = null;

async function run(convert: Convert, no: number, request: ConvertRequest): Promise<void> {
  const io = new PipeIo(no, send, (bytes) => reader.recycle(bytes));
  const abort = new AbortController();
  running = { no, io, abort };
  try {
    const outcome = await convert(request, io, abort.signal);
    send(jsonFrame(FRAME.outcome, no, { outcome, worn: isWorn?.() ?? false } satisfies Ended));
  } catch (error) {
    send(jsonFrame(FRAME.threw, no, thrown(error)));
  } finally {
    running = null;
    io.end(new Error("the job is over"));
  }
}

function thrown(error: unknown): Thrown {
  const known = error instanceof Error ? error : new Error(String(error));
  return {
    trap: known.name === "RuntimeError", // WebAssembly.RuntimeError, which the type library without a DOM does not know
    name: known.name,
    message: known.message,
    stack: known.stack ?? null,
    fault: isFault(known) ? known.toRecord() : null,
  };
}

function cancel(no: number): void {
  if (running?.no !== no) return;
  const reason = new Error("cancelled by the worker");
  running.abort.abort(reason);
  running.io.end(reason);
}

const [, , moduleUrl = ""] = process.argv;
const { convert, isWorn } = (await import(moduleUrl)) as { convert: Convert; isWorn?: () => boolean };
const reader = new FrameReader((kind, id, payload) => {
  if (kind === FRAME.job) void run(convert, id, JSON.parse(payload.toString()) as ConvertRequest);
  else if (kind === FRAME.cancel) cancel(id);
  else running?.io.onFrame(kind, id, payload);
});
pipe.on("data", (chunk: Buffer) => reader.push(chunk));
pipe.on("error", () => process.exit(0));
pipe.on("close", () => process.exit(0));
send(frame(FRAME.ready, 0));
