import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { parseFileOptions } from "../../packages/core/src/domain/parse-options.ts";
import { convertBytes, failedWith, loaded, metadataOf, rowsOf, typesOf } from "./convert-kit.ts";
import { corpus } from "./corpus.ts";

/** 120,000 rows of plain ASCII, some of them broken, then one name in Windows-1252. */
function lateLatin1(): Buffer {
  let text = "id,name\n";
  for (let i = 0; i < 120_000; i++) text += i % 10_000 === 5_000 ? `${i}\n` : `${i},name ${i}\n`;
  return Buffer.concat([Buffer.from(text), Buffer.from("120000,caf"), Buffer.of(0xe9, 10)]);
}

test("one byte that is no UTF-8, after 120,000 rows, garbles and loses nothing: the file is read again as Windows-1252", async () => {
  for (const bytes of [lateLatin1(), gzipSync(lateLatin1())]) {
    const result = await convertBytes(bytes[0] === 0x1f ? "a.csv.gz" : "a.csv", bytes, { limits: { partBytes: 50_000 } });
    const { counts, detected } = loaded(result.outcome);
    expect(detected.encoding).toBe("windows-1252");
    expect(counts).toEqual({ read: 120_001, loaded: 119_989, rejected: 12, skipped: 0, warnings: 0 });
    expect(result.rejects.length).toBe(12);
    const rows = await rowsOf(result);
    expect(rows.length).toBe(119_989);
    expect(rows.at(-1)).toEqual({ id: 120_000n, name: "café" });
  }
});

test("under a schema that is fixed, where no pass looks ahead, the parts that were written are dropped", async () => {
  const first = loaded((await convertBytes("a.csv", "id,name\n1,x\n")).outcome);
  const result = await convertBytes("a.csv", lateLatin1(), {
    schemas: { main: first.tables[0]?.schema ?? { columns: [], lastId: 0 } },
    rules: { policy: "strict" },
    limits: { partBytes: 50_000 },
  });
  expect(loaded(result.outcome).counts.loaded).toBe(119_989);
  expect(result.parts.length).toBe(loaded(result.outcome).parts.length);
  expect((await rowsOf(result)).length).toBe(119_989);
  expect(result.rejects.length).toBe(12);
});

test("rows with broken bytes among UTF-8 are rejected one by one, with the byte and its place; nothing else is garbled", async () => {
  const bytes = Buffer.concat([
    Buffer.from("\ufeffid,name\n1,žluť\n2,a"),
    Buffer.of(0xff, 0xc3),
    Buffer.from('\n3,kůň\n4,"x\ny'),
    Buffer.of(0xe2, 0x82),
    Buffer.from('"\n5,𒳎\n6,'),
    Buffer.of(0xe2, 0x82),
  ]);
  for (const readBytes of [1 << 20, 1, 2, 3, 7]) {
    for (const options of [{}, { encoding: "utf-8" }]) {
      const result = await convertBytes("a.csv", bytes, { readBytes, options, rules: { maxRejects: { rows: 3 } } });
      expect(loaded(result.outcome).detected.encoding).toBe("utf-8");
      expect((await rowsOf(result)).map(({ name }) => name)).toEqual(["žluť", "kůň", "𒳎"]);
      expect(result.rejects).toMatchObject([
        { row: 2, line: 3, byte_offset: 20, reason: "byte 23 (0xff) is no UTF-8", record: "2,a\\xff\\xc3" },
        { row: 4, line: 5, reason: "byte 40 (0xe2) is no UTF-8", record: '4,"x\ny\\xe2\\x82"' },
        { row: 6, line: 8, record: "6,\\xe2\\x82" },
      ]);
      const at = Number(result.rejects[2]?.["byte_offset"]);
      expect(bytes.subarray(at, at + 2).toString()).toBe("6,");
    }
  }
});

test("a broken byte in the header fails the file with its line", async () => {
  const bytes = Buffer.concat([Buffer.from("id,n"), Buffer.of(0xff), Buffer.from("\n1,žluť\n")]);
  const { fault } = failedWith((await convertBytes("a.csv", bytes)).outcome);
  expect(fault).toMatchObject({ code: "unreadable", field: "line", value: 1, message: expect.stringContaining("id,n\\xff") as string });
  const said = await convertBytes("a.csv", bytes, { options: { encoding: "windows-1252" } });
  expect(loaded(said.outcome).detected.encoding).toBe("windows-1252");
});

test("bytes that are none of a said encoding fail the file", async () => {
  const { fault } = failedWith(
    (await convertBytes("a.csv", Buffer.from("a,b\n1,\x81\n", "latin1"), { options: { encoding: "shift_jis" } })).outcome,
  );
  expect(fault).toMatchObject({ code: "unreadable", field: "encoding", value: "shift_jis" });
  const lone = Buffer.from("\ufeffa,b\n1,\ud800x\n", "utf16le");
  expect(failedWith((await convertBytes("a.csv", lone)).outcome).fault).toMatchObject({ code: "unreadable", value: 14 });
});

test("a dry run of a file in Windows-1252 tells its encoding, and of a broken one its rows", async () => {
  const latin = await convertBytes("a.csv", Buffer.from("a,b\n1,caf\xe9\n", "latin1"), { mode: "inspect" });
  expect(latin.outcome).toMatchObject({ kind: "inspected", inspection: { detected: { encoding: "windows-1252" }, fault: null } });
  const broken = await convertBytes("a.csv", Buffer.concat([Buffer.from("a,é\n1,"), Buffer.of(0xff, 10)]), { mode: "inspect" });
  expect(broken.outcome).toMatchObject({
    inspection: { detected: { encoding: "utf-8" }, problems: [{ reason: "byte 7 (0xff) is no UTF-8" }] },
  });
  const json = await convertBytes("a.json", Buffer.concat([Buffer.from('[{"a": "'), Buffer.of(0xff), Buffer.from('"}]')]), {
    mode: "inspect",
  });
  expect(json.outcome).toMatchObject({ kind: "inspected", inspection: { fault: { code: "unreadable" } } });
});

test("a dry run takes values by the same rules as a load: what was found, and what options say", async () => {
  const found = await convertBytes("a.csv", "id;price\n1;1,50\n2;2,25\n", { mode: "inspect" });
  expect(found.outcome).toMatchObject({
    inspection: {
      detected: { decimal: "," },
      tables: [
        {
          columns: [{ type: "int64" }, { name: "price", type: "double" }],
          preview: [
            [1, 1.5],
            [2, 2.25],
          ],
        },
      ],
    },
  });
  const said = await convertBytes("a.csv", "d\n13/01/2026\n", { mode: "inspect", options: { day_first: true } });
  expect(said.outcome).toMatchObject({ inspection: { tables: [{ columns: [{ type: "date" }] }] } });
});

test("ragged fail refuses the file at its first ragged row; a file that is made again keeps its others", async () => {
  const options = parseFileOptions({ on_bad_lines: "error" });
  const asked = await convertBytes("a.csv", "a,b\n1,x\n2\n3,z\n", { options });
  expect(failedWith(asked.outcome).fault).toMatchObject({
    code: "bad_row",
    field: "ragged",
    message: expect.stringContaining("row 2, line 3") as string,
  });
  const schema = loaded((await convertBytes("a.csv", "a,b\n1,x\n")).outcome).tables[0]?.schema;
  const again = await convertBytes("a.csv", "a,b\n1,x\n2\n3,z\n", {
    options,
    mode: "remake",
    schemas: { main: schema ?? { columns: [], lastId: 0 } },
  });
  expect(loaded(again.outcome).counts).toMatchObject({ loaded: 2, rejected: 1 });
});

test("the account holds for rows that options leave out, also when all of them are", async () => {
  const none = await convertBytes("a.csv", "a\n1\n2\n3\n", { options: { max_rows: 0 } });
  expect(loaded(none.outcome).counts).toEqual({ read: 3, loaded: 0, rejected: 0, skipped: 3, warnings: 0 });
  const more = await convertBytes("a.csv", "a\n1\n2\n", { options: { skip_footer: 5 } });
  expect(loaded(more.outcome).counts).toEqual({ read: 2, loaded: 0, rejected: 0, skipped: 2, warnings: 0 });
});

test("a part's metadata counts the rows that an option leaves out", async () => {
  const { parts } = await convertBytes("a.csv", "a\n1\n2\n3\nTotal 3\n", { options: { skip_footer: 1, skip_row_numbers: [1] } });
  const counts = metadataOf(parts[0]).key_value_metadata?.filter(({ key }) => key.startsWith("sluice.rows_"));
  expect(Object.fromEntries(counts?.map(({ key, value }) => [key, value]) ?? [])).toEqual({
    "sluice.rows_read": "4",
    "sluice.rows_loaded": "2",
    "sluice.rows_rejected": "0",
    "sluice.rows_skipped": "2",
  });
});

const csvSpectrum = corpus("csv-spectrum");

test.skipIf(csvSpectrum === null)("csv-spectrum: 11 of 12 as their JSON says; the twelfth is broken upstream", async () => {
  const right: string[] = [];
  const folder = csvSpectrum ?? "";
  for (const file of readdirSync(join(folder, "csvs"))) {
    const expected = JSON.parse(readFileSync(join(folder, "json", file.replace(".csv", ".json")), "utf8")) as unknown;
    // The corpus knows only texts, and nothing that is null.
    const options = { default_type: { kind: "text" }, strings_can_be_null: false } as const;
    const result = await convertBytes(file, readFileSync(join(folder, "csvs", file)), { options });
    if (result.outcome.kind !== "tables") continue;
    if (JSON.stringify(await rowsOf(result)) === JSON.stringify(expected)) right.push(file);
    else expect(file).toBe("location_coordinates.csv");
  }
  expect(right.length).toBe(11);
  expect(Object.keys(typesOf((await convertBytes("a.csv", "a\n1\n")).outcome))).toEqual(["a"]);
});
