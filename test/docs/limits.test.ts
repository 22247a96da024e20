import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseSize, readConfig, SETTINGS } from "@sluice/core/config";
import { type ConvertLimits, DEFAULT_LIMITS, LIMIT_SETTINGS } from "@sluice/core/domain/convert-limits";

const doc = readFileSync(join(import.meta.dirname, "../../docs/limits.md"), "utf8");
const rows = [...doc.matchAll(/^\| `(\w+)` \| ([^|]+) \| ([^|]+) \| [^|]+ \|$/gm)].map(([, name = "", value = "", raisedBy = ""]) => ({
  name,
  value: parseSize(value.replaceAll(",", "").trim()),
  setting: /`(\w+)`/.exec(raisedBy)?.[1] ?? null,
}));

test("docs/limits.md has every limit of a conversion with its value and its setting", () => {
  // A part's size refuses nothing.
  const { partBytes: _, ...refusing } = DEFAULT_LIMITS;
  const told = Object.fromEntries(rows.map(({ name, value }) => [name, value]));
  expect(told).toEqual(refusing);
  const settings = Object.fromEntries(rows.filter(({ setting }) => setting !== null).map(({ name, setting }) => [name, setting]));
  expect(settings).toEqual(LIMIT_SETTINGS);
});

test("each of these settings is one, and sets its limit", () => {
  const env = { DATABASE_URL: "postgres://u@h/d", STORAGE_URL: "file:///x" };
  for (const [limit, setting] of Object.entries(LIMIT_SETTINGS)) {
    expect(SETTINGS.map(({ name }) => name)).toContain(setting);
    const raised = readConfig({ ...env, [setting]: "2000000" }).limits;
    expect(raised).toEqual({ ...DEFAULT_LIMITS, [limit as keyof ConvertLimits]: 2_000_000 });
  }
  expect(() => readConfig({ ...env, SLUICE_MAX_RECORD: "1GiB" })).toThrow(/SLUICE_MAX_RECORD must be 1024 to 134217728 bytes/);
  expect(readConfig(env).limits).toEqual(DEFAULT_LIMITS);
});
