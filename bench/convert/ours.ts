/**
 * A process that converts files with the engine as a warm child does, one after the other: a line of JSON in, a line out.
 * Runs with the sandbox's V8 flags; what it writes goes to the path that it is given.
 */
import { createHash } from "node:crypto";
import { readSync } from "node:fs";
import { open } from "node:fs/promises";
import { createInterface } from "node:readline";
import { DEFAULT_RULES } from "@sluice/core/domain/options";
import { convert } from "@sluice/core/flow/convert";
import { type ConvertIo, DEFAULT_LIMITS, type PartSink } from "@sluice/core/ports/converter";
import type { Ran, Work } from "./work.ts";

async function run(work: Work): Promise<Ran> {
  const source = await open(work.input);
  const output = await open(work.output, "w");
  const { size } = await source.stat();
  const spare: Buffer[] = [];
  let bytes = 0;
  const sink = (): PartSink => {
    const hash = createHash("sha256");
    return {
      write: async (chunk: Uint8Array) => {
        bytes += chunk.length;
        await output.write(chunk);
      },
      abort: async () => {
        await output.truncate(0);
      },
      close: async () => ({ bytes, sha256: hash.digest("hex") }),
    } as PartSink;
  };
  const io: ConvertIo = {
    read: async (offset, length) => {
      const wanted = Math.min(length, Math.max(size - offset, 0));
      // As the sandbox's pipe does it (apps/worker/src/frames.ts).
      const buffer = (spare.pop() ?? Buffer.allocUnsafeSlow(length)).subarray(0, wanted);
      const bytesRead = readSync(source.fd, buffer, 0, buffer.length, offset);
      return buffer.subarray(0, bytesRead);
    },
    recycle: (given) => {
      spare.push(Buffer.from(given.buffer));
    },
    openPart: async () => {
      bytes = 0;
      return sink();
    },
    openRejects: async () => sink(),
    progress: () => {},
  };
  const cpu = process.cpuUsage();
  const started = performance.now();
  const outcome = await convert(
    {
      name: work.name,
      bytes: size,
      options: {},
      rules: DEFAULT_RULES,
      schemas: {},
      mode: "load",
      file: "0197c0de-0000-7000-8000-000000000001",
      loadedAtMs: Date.UTC(2026, 0, 2),
      limits: DEFAULT_LIMITS,
    },
    io,
    new AbortController().signal,
  );
  const ms = performance.now() - started;
  const used = process.cpuUsage(cpu);
  await source.close();
  await output.close();
  if (outcome.kind !== "tables") throw new Error(JSON.stringify(outcome));
  const rows = outcome.counts.loaded;
  return { ms, cpuMs: (used.user + used.system) / 1_000, rows, bytes: outcome.parts.reduce((sum, part) => sum + part.bytes, 0) };
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await run(JSON.parse(line) as Work)));
}
