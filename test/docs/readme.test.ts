import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SETTINGS } from "@sluice/core/config";
import { ROOT, type Supervised, supervised } from "../harness/supervised.ts";

const run = promisify(execFile);
const readme = await readFile(join(ROOT, "README.md"), "utf8");

/** Every fenced block of the README, in order. */
const blocks = [...readme.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map((match) => ({ language: match[1] ?? "", text: match[2] ?? "" }));

describe("the README", () => {
  let service: Supervised;
  beforeAll(async () => {
    service = await supervised();
  }, 120_000);
  afterAll(() => service[Symbol.asyncDispose]());

  /** The README's text with this service's address and folder in the place of the default ones. */
  const here = (text: string) =>
    text.replaceAll("127.0.0.1:8080", `127.0.0.1:${service.port}`).replaceAll(".sluice/", `${service.dataDir}/`);

  it("shows curl lines that answer exactly what it prints under them", async () => {
    const shells = blocks.flatMap((block, at) =>
      block.language === "sh" ? [{ text: block.text, expected: blocks[at + 1]?.text ?? "" }] : [],
    );
    expect(shells.length).toBeGreaterThanOrEqual(3);
    let before = "";
    for (const { text, expected } of shells) {
      const script = `set -eu\n${before}${here(text)}`;
      const { stdout } = await run("bash", ["-c", script], { cwd: ROOT });
      expect(stdout.trim()).toBe(expected.trim());
      before += `${text
        .split("\n")
        .filter((line) => line.startsWith("KEY="))
        .map(here)
        .join("\n")}\n`;
    }
  });

  it("shows SQL with which DuckDB reads the uploaded rows back", async () => {
    const finished = async () => {
      const response = await fetch(`${service.url}/api/ingestion/file/sync/list?sync_id=1`, {
        headers: { "x-api-key": await service.key() },
      });
      const [sync] = (await response.json()) as { sync_status: string }[];
      return sync?.sync_status;
    };
    await expect.poll(finished, { timeout: 20_000 }).toBe("Finished");
    const sql = blocks.find((block) => block.language === "sql")?.text ?? "";
    const connection = await (await DuckDBInstance.create()).connect();
    const statements = here(sql)
      .split(/;\s*$/m)
      .filter((statement) => statement.trim() !== "");
    let rows: unknown[] = [];
    for (const statement of statements) rows = (await connection.runAndReadAll(statement)).getRowObjects();
    expect(rows).toHaveLength(7);
    expect(rows[0]).toMatchObject({ order_id: 100_001n, customer: "ACME Ltd", quantity: 3n, unit_price: 19.9 });
    connection.closeSync();
  });
});

describe("npm run demo", () => {
  it("sends the sample files through both syncs and prints their rows back", async () => {
    await using service = await supervised();
    const env = { ...process.env, SLUICE_URL: service.url, SLUICE_API_KEY: await service.key() };
    const { stdout } = await run(process.execPath, [join(ROOT, "scripts", "demo.mjs")], { cwd: ROOT, env });
    expect(stdout).toMatch(/FullSync 1 into[^]*Finished {2}3 of 3 files done[^]*IncrementalSync 2 into[^]*Finished {2}2 of 2 files done/);
    expect(stdout).toContain("2026-11-21-evening.csv.gz: Finished 1 of 200 rows were rejected");
    expect(stdout).toMatch(/208 rows in 4 Parquet parts/);
  }, 120_000);
});

describe("the README's table of settings", () => {
  it("is the configuration's own", () => {
    const rows = [...readme.matchAll(/^\| `([A-Z_]+)` \| (.*) \| (.*) \|$/gm)].map(([, name, fallback, meaning]) => ({
      name,
      default: fallback,
      meaning,
    }));
    expect(rows).toEqual(SETTINGS.map(({ name, default: fallback, meaning }) => ({ name, default: fallback, meaning })));
  });
});
