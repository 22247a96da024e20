import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { convertBytes, failedWith, loaded, rowsOf } from "./convert-kit.ts";

test("every member of a gzip is read", async () => {
  const result = await convertBytes("a.csv.gz", Buffer.concat([gzipSync("a,b\n1,x"), gzipSync("y\n2,"), gzipSync("z\n")]), {
    readBytes: 5,
  });
  expect(await rowsOf(result)).toEqual([
    { a: 1n, b: "xy" },
    { a: 2n, b: "z" },
  ]);
});

test("a gzip that is cut off fails and accounts for the rows that were read", async () => {
  let text = "a,b\n";
  for (let i = 0; i < 200_000; i++) text += `${i},${(i * 7919) % 100_003}\n`;
  const whole = gzipSync(text);
  const { outcome, parts } = await convertBytes("a.csv.gz", whole.subarray(0, whole.length - 1000));
  const { fault, counts } = failedWith(outcome);
  expect(fault).toMatchObject({ code: "unreadable", message: expect.stringMatching(/cut off/) });
  expect(counts.read).toBeGreaterThan(100_000);
  expect(counts).toEqual({ read: counts.read, loaded: 0, rejected: 0, skipped: counts.read, warnings: 0 });
  expect(parts).toEqual([]);
});

test("a gzip with damaged bytes fails as unreadable", async () => {
  const bytes = gzipSync("a,b\n" + "1,x\n".repeat(10_000));
  bytes.fill(0xaa, 30, 50);
  expect(failedWith((await convertBytes("a.csv.gz", bytes)).outcome).fault.code).toBe("unreadable");
});

test("a bomb of blank lines is refused by its ratio after 64 MiB, not after gigabytes", async () => {
  const member = gzipSync(Buffer.alloc(32 * 2 ** 20, "\n"));
  const bomb = Buffer.concat([gzipSync("a,b\n1,2\n"), ...Array<Buffer>(40).fill(member)]);
  const { fault } = failedWith((await convertBytes("a.csv.gz", bomb)).outcome);
  expect(fault).toMatchObject({ code: "limit_exceeded", field: "ratio", limit: 1000 });
  // By count, not by the clock: this many bytes had been decoded when it was refused.
  const decoded = Number(/became (\d+)/.exec(fault.message)?.[1]);
  expect(decoded).toBeLessThan(65 * 2 ** 20);
});

test("decoded bytes are limited, and the fault names limit and value", async () => {
  const { fault } = failedWith(
    (await convertBytes("a.csv.gz", gzipSync("a\n" + "1\n".repeat(1e6)), { limits: { decodedBytes: 1e6 } })).outcome,
  );
  expect(fault).toMatchObject({ code: "limit_exceeded", field: "decodedBytes", limit: 1e6 });
});

test("a long quoted record that never closes is refused at the record limit in bounded memory", async () => {
  const bytes = gzipSync(Buffer.concat([Buffer.from('a,b\n1,"'), Buffer.alloc(200 * 2 ** 20, "lorem ipsum dolor ")]), { level: 1 });
  const before = process.memoryUsage().rss;
  const { fault } = failedWith((await convertBytes("a.csv.gz", bytes, { limits: { recordBytes: 4 * 2 ** 20 } })).outcome);
  expect(fault).toMatchObject({
    code: "limit_exceeded",
    field: "recordBytes",
    limit: 4 * 2 ** 20,
    message: expect.stringMatching(/line 2/),
  });
  expect(process.memoryUsage().rss - before).toBeLessThan(150 * 2 ** 20);
});

test("a record below the limit is read however long it is", async () => {
  const long = "x".repeat(3 * 2 ** 20);
  const result = await convertBytes("a.csv", `a,b\n1,"${long}\n${long}"\n2,y\n`);
  expect(loaded(result.outcome).counts.loaded).toBe(2);
  expect((await rowsOf(result)).map((row) => String(row["b"]).length)).toEqual([long.length * 2 + 1, 1]);
});
