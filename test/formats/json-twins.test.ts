import { expect, test } from "vitest";
import { isNumeric } from "../../packages/core/src/domain/table-schema.ts";
import { ROW_GROUP_ROWS } from "../../packages/core/src/columns/row-group-builder.ts";
import { type Converted, convertBytes, loaded, rowsOf, typesOf } from "./convert-kit.ts";
import { seeded } from "./csv-twins.ts";
import { jsonCase } from "./json-twins.ts";

/** Everything that a conversion says and wrote, as plain values; parts by their rows, because bytes may differ. */
async function saidOf(converted: Converted): Promise<unknown> {
  const { outcome } = converted;
  // A file that breaks somewhere breaks before its first row is loaded, or after some were read.
  if (outcome.kind === "failed" && outcome.fault.code === "unreadable") return outcome.fault;
  // How many warnings there were before the row that failed the file hangs on where its block began.
  if (outcome.kind === "failed") return { outcome: { ...outcome, counts: { ...outcome.counts, warnings: 0 } }, rejects: converted.rejects };
  if (outcome.kind !== "tables") return { outcome, rejects: converted.rejects };
  const parts = outcome.parts.map(({ table, rows }) => ({ table, rows }));
  // Once a column is text, nobody asks any more what numbers stand in it. The row that widened a column is told of cells that
  // have no type yet: the short way has only such, the long way has typed values where all rows were looked at.
  const tables = outcome.tables.map(({ schema, ...rest }) => ({
    ...rest,
    widenedAt: null,
    lastId: schema.lastId,
    columns: schema.columns.map((column) => ({ ...column, numbers: isNumeric(column.type) ? column.numbers : null })),
  }));
  const detected = { ...outcome.detected, widened: null };
  return { outcome: { ...outcome, detected, tables, parts }, rejects: converted.rejects, rows: await rowsOf(converted) };
}

for (const [seed, what] of ["whole files", "guesses from their first rows"].entries()) {
  test(`the short way of JSON says and writes what the long way does: random rows, schemas, policies and options, ${what}`, async () => {
    const random = seeded(seed + 200);
    const seen = new Set<string>();
    for (let i = 0; i < 60; i++) {
      const { name, text, asked } = jsonCase(random);
      const how = seed === 0 ? {} : { chunkBytes: 16 + (i % 70), sniffBytes: 20 * (i % 9) };
      const long = await convertBytes(name, text, { ...asked, how: { direct: false } });
      const short = await convertBytes(name, text, { ...asked, how: { ...how, direct: true } });
      expect(await saidOf(short), JSON.stringify({ i, text, asked, how })).toEqual(await saidOf(long));
      seen.add(long.outcome.kind === "failed" ? long.outcome.fault.code : long.outcome.kind);
    }
    for (const kind of ["tables", "bad_row"]) expect(seen).toContain(kind);
  });
}

test("a key that comes first after a row group was written takes that group back: the one part holds all rows", async () => {
  const rows = ROW_GROUP_ROWS + 10_000;
  const converted = await convertBytes("late.ndjson", `${'{"a":1}\n'.repeat(rows)}{"a":2,"late":3}\n`, {
    how: { chunkBytes: 32 * 1024, sniffBytes: 1_024 },
  });
  const { counts, parts } = loaded(converted.outcome);
  expect(counts).toEqual({ read: rows + 1, loaded: rows + 1, rejected: 0, skipped: 0, warnings: 0 });
  expect(typesOf(converted.outcome)).toEqual({ a: "int64", late: "int64" });
  expect(parts.map((part) => part.rows)).toEqual([rows + 1]);
  expect(converted.parts).toHaveLength(1);
});
