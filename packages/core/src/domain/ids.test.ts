import { describe, expect, test } from "vitest";
import { type Epoch, type FileId, newId, type OrgId, parseCounter, parseUuid, uuidv7 } from "./ids.ts";
import { currentKey, currentPageKey, opaqueKey, partKey, rawKey, rejectsKey, tableSegment } from "./keys.ts";

describe("ids", () => {
  test("a uuidv7 is that of RFC 9562's example", () => {
    // RFC 9562, A.6: 2022-02-22 19:22:22 UTC, rand_a 0xCC3, rand_b 0x18C4DC0C0C07398F.
    const random = Buffer.from("0cc318c4dc0c0c07398f", "hex");
    expect(uuidv7(0x017f22e279b0, random)).toBe("017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
  });

  test("later ids sort after earlier ones, whatever the random bits", () => {
    const at = (now: number, fill: number) => newId<FileId>({ now: () => now, random: (count) => new Uint8Array(count).fill(fill) });
    const ids = [at(1, 255), at(2, 0), at(2 ** 40, 255), at(2 ** 40 + 1, 0)];
    expect([...ids].sort()).toEqual(ids);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  test("a uuid is taken in either case and kept in lower; anything else is none", () => {
    const id = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";
    expect(parseUuid(id.toUpperCase())).toBe(id);
    for (const text of ["", id.slice(1), `${id}0`, id.replaceAll("-", ""), ` ${id}`, `${id}\n`, id.replace("f", "g")])
      expect(parseUuid(text)).toBeNull();
  });

  test("a counter is a canonical decimal below 2^53, as text or number", () => {
    for (const [given, id] of [
      ["0", 0],
      [7, 7],
      ["9007199254740991", 2 ** 53 - 1],
    ] as const)
      expect(parseCounter(given)).toBe(id);
    for (const given of [
      "",
      "01",
      "-1",
      "+1",
      "1.0",
      "1e3",
      " 1",
      "1\n",
      "0x1",
      "9007199254740992",
      2 ** 53,
      -1,
      1.5,
      Number.NaN,
      null,
      undefined,
      true,
      [1],
    ]) {
      expect(parseCounter(given)).toBeNull();
    }
  });
});

describe("object keys", () => {
  const org = 4 as OrgId;
  const file = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f" as FileId;

  test("stand under their roots, as the design draws them", () => {
    const at = { org, path: "/a/b", generation: 3, file };
    expect(rawKey(org, Date.UTC(2026, 0, 31, 23, 59), file)).toBe(`raw/4/2026-01-31/${file}`);
    expect(partKey({ ...at, table: "main", epoch: 2 as Epoch, index: 1 })).toBe(`lake/4/a/b/gen-3/main/${file}.2.1.parquet`);
    expect(opaqueKey(at)).toBe(`files/4/a/b/gen-3/${file}`);
    expect(rejectsKey(org, file, 2 as Epoch)).toBe(`rejects/4/${file}.2.ndjson`);
    expect(currentKey(org, "/a/b")).toBe("lake/4/a/b/current.json");
    expect(currentPageKey(org, "/a/b", "ff")).toBe("lake/4/a/b/pages/ff.json");
  });

  test("hold a table's name as one segment that leads nowhere else, and needs no encoding in a URL", () => {
    expect(tableSegment("a.b_c-1")).toBe("a.b_c-1");
    const names = ["a b", "a%20b", "a~20b", "a+b", "A b", "ä", "a\u0308", ".", "..", "Sheet 1/../x", "a*b(c)'!~", "?", "#", "\\", "~"];
    const segments = names.map(tableSegment);
    expect(new Set(segments).size).toBe(names.length);
    for (const segment of segments) expect(segment).toMatch(/^(?!\.+$)[A-Za-z0-9_.~-]+$/);
  });
});
