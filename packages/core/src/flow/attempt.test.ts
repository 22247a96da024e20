import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { diskObjectStore } from "../adapters/disk/object-store.ts";
import { newId, type Epoch, type FileId, type OrgId } from "../domain/ids.ts";
import { rawKey } from "../domain/keys.ts";
import { DEFAULT_RULES } from "../domain/options.ts";
import { type Converter, type ConvertIo, type ConvertOutcome, DEFAULT_LIMITS } from "../ports/converter.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import { attempt, type Attempt, type AttemptOf } from "./attempt.ts";

const clock = { now: () => 1_800_000_000_000, random: (count: number) => new Uint8Array(count).fill(7) };
const file = newId<FileId>(clock);
const org = 0 as OrgId;
const key = rawKey(org, clock.now(), file);
const never = new AbortController().signal;
let root: string;
let objects: ObjectStore;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "sluice-attempt-"));
  objects = diskObjectStore({ root, minFreeBytes: 0, linkSecret: "s".repeat(32), linkBase: "" });
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function run(convert: (io: ConvertIo) => Promise<ConvertOutcome>): Promise<Attempt> {
  await objects.put(
    key,
    (async function* () {
      yield Buffer.from("n\n1\n");
    })(),
  );
  const converter: Converter = { convert: (_request, io) => convert(io) };
  const of: AttemptOf = {
    file,
    epoch: 3 as Epoch,
    org,
    name: "a.csv",
    rawKey: key,
    bytes: 4,
    options: {},
    rules: DEFAULT_RULES,
    into: { path: "/p", number: 1, schemas: {} },
    mode: "load",
    firstIndex: 5,
    progress: () => undefined,
  };
  const onLeftover = (error: unknown) => {
    throw error;
  };
  return attempt({ objects, converter, clock, limits: DEFAULT_LIMITS, onLeftover }, of, never);
}

async function part(io: ConvertIo, text: string) {
  const sink = await io.openPart("main");
  await sink.write(Buffer.from(text));
  return sink;
}

const outcome = (...parts: { bytes: number; sha256: string }[]): ConvertOutcome => ({
  kind: "tables",
  detected: { format: "csv", compression: "none", by: "extension" },
  tables: [],
  parts: parts.map((facts) => ({ table: "main", rows: 1, ...facts })),
  counts: { read: 1, loaded: 1, rejected: 0, skipped: 0, warnings: 0 },
  rejects: [],
  rejectsBytes: null,
});

async function stored(): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of objects.list("lake/")) keys.push(key);
  return keys;
}

describe("an attempt whose conversion aborts parts", () => {
  it("accounts only for the parts that stayed, and leaves nothing of the others", async () => {
    const made = await run(async (io) => {
      await (await part(io, "half written")).abort();
      const whole = await part(io, "written whole");
      await whole.close();
      const kept = await (await part(io, "kept")).close();
      await whole.abort();
      return outcome(kept);
    });
    expect(made.parts.map(({ key, bytes }) => [key, bytes])).toEqual([[made.keys[0], 4]]);
    expect(await stored()).toEqual(made.keys);
    expect(await readFile(join(root, made.keys[0] ?? ""), "utf8")).toBe("kept");
  });

  it("never uses a number twice, within it and for the next one", async () => {
    const made = await run(async (io) => {
      await (await part(io, "a")).abort();
      return outcome(await (await part(io, "b")).close());
    });
    expect(made.keys).toEqual([expect.stringMatching(/\.6\.parquet$/)]);
    expect(made.numbers).toBe(2);
  });

  it("takes everything away when it then fails", async () => {
    const bug = new Error("bug");
    const failing = run(async (io) => {
      await (await part(io, "a")).abort();
      await part(io, "b");
      throw bug;
    });
    await expect(failing).rejects.toBe(bug);
    expect(await stored()).toEqual([]);
  });
});
