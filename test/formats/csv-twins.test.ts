import { expect, test } from "vitest";
import { type Converted, convertBytes, rowsOf } from "./convert-kit.ts";
import { csvCase, seeded } from "./csv-twins.ts";

/** Everything that a conversion says and wrote, as plain values; parts by their rows, because bytes may differ. */
async function saidOf(converted: Converted): Promise<unknown> {
  const { outcome } = converted;
  if (outcome.kind !== "tables") return { outcome, rejects: converted.rejects };
  const parts = outcome.parts.map(({ table, rows }) => ({ table, rows }));
  return { outcome: { ...outcome, parts }, rejects: converted.rejects, rows: await rowsOf(converted) };
}

for (const [seed, what] of ["whole files", "guesses from their first bytes", "guesses from some rows"].entries()) {
  test(`the short way of csv says and writes what the long way does: random csvs, schemas, policies and options, ${what}`, async () => {
    const random = seeded(seed + 100);
    const seen = new Set<string>();
    for (let i = 0; i < 250; i++) {
      const { text, asked } = csvCase(random);
      const how = seed === 0 ? {} : { chunkBytes: 16 + (i % 70), sniffBytes: seed === 1 ? 0 : 20 * (i % 9) };
      const long = await convertBytes("a.csv", text, { ...asked, how: { direct: false } });
      const short = await convertBytes("a.csv", text, { ...asked, how: { ...how, direct: true } });
      expect(await saidOf(short), JSON.stringify({ i, text, asked, how })).toEqual(await saidOf(long));
      seen.add(long.outcome.kind === "failed" ? long.outcome.fault.code : long.outcome.kind);
    }
    for (const kind of ["tables", "bad_row", "too_many_rejects", "nothing_loaded"]) expect(seen).toContain(kind);
  });
}
