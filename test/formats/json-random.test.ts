import { expect, test } from "vitest";
import { randomOf } from "../../bench/csv.ts";
import { inputOf, readTables } from "./json-kit.ts";

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type Random = () => number;

const below = (random: Random, n: number) => Math.floor(random() * n);
const pick = <T>(random: Random, list: readonly T[]): T => list[below(random, list.length)] as T;

const TEXTS = [
  "",
  "a",
  "two words",
  'quote " inside',
  "back\\slash",
  "line\nbreak\ttab",
  "žluť",
  "漢字",
  "😀",
  "\u0000\u001f\u007f",
  "007",
  "true",
  "null",
  "{}",
] as const;
const NUMBERS = [0, 1, -1, 42, 2 ** 31, -(2 ** 31) - 1, 999_999_999_999, 0.5, -2.25, 1e-7, 12345.678, 1.5e300, 5e-324] as const;

/** A value of one of the kinds that a place holds in one document, or null. */
function valueOf(random: Random, kind: number, depth: number): Json {
  if (random() < 0.15) return null;
  switch (kind) {
    case 0:
      return below(random, 1e6) - 5e5;
    case 1:
      return pick(random, NUMBERS);
    case 2:
      return random() < 0.5;
    case 3:
      return pick(random, TEXTS) + pick(random, TEXTS);
    case 4:
      return Array.from({ length: below(random, 4) }, () => valueOf(random, depth > 2 ? 3 : 1 + below(random, 1), depth + 1));
    case 5:
      return {
        x: valueOf(random, 0, depth + 1),
        "y z": valueOf(random, depth > 1 ? 3 : 4, depth + 1),
        ...(random() < 0.5 ? { o: valueOf(random, 2, 9) } : {}),
      };
    default:
      return pick(random, [valueOf(random, 3, depth), valueOf(random, 1, depth), valueOf(random, 5, depth)]);
  }
}

const KEYS = ["a", "b", "key with space", "ü", 'q"', "__proto__", "constructor", "x\\y"] as const;

function rowsOf(random: Random): Record<string, Json>[] {
  const kinds = KEYS.map(() => below(random, 7));
  return Array.from({ length: 1 + below(random, 12) }, () => {
    const keys = KEYS.filter(() => random() < 0.8);
    if (random() < 0.3) keys.reverse();
    return Object.fromEntries(keys.map((key) => [key, valueOf(random, kinds[KEYS.indexOf(key)] ?? 0, 0)]));
  });
}

/** JSON written in one of its many ways: white space anywhere, characters escaped at will. */
function written(random: Random, value: Json, lines: boolean): string {
  const space = () => (random() < 0.2 ? pick(random, lines ? [" ", "\t", "  "] : [" ", "\n", "\r\n\t"]) : "");
  const text = (one: string) =>
    JSON.stringify(one).replace(/[a-z/é-ﾟ](?![^\\]*\\$)/gu, (c, at: number, all: string) =>
      random() < 0.05 && all[at - 1] !== "\\" && !/\\u[0-9a-f]{0,3}$/.test(all.slice(0, at))
        ? `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`
        : c,
    );
  const write = (one: Json): string => {
    if (typeof one === "string") return text(one);
    if (Array.isArray(one)) return `[${space()}${one.map((each) => write(each) + space()).join(`,${space()}`)}]`;
    if (typeof one !== "object" || one === null) return JSON.stringify(one);
    return `{${space()}${Object.entries(one)
      .map(([key, each]) => `${text(key)}${space()}:${space()}${write(each)}${space()}`)
      .join(`,${space()}`)}}`;
  };
  return write(value);
}

/** What a column of text holds of a value that is none: its JSON. */
function matches(ours: unknown, theirs: Json | undefined, type: string | undefined): boolean {
  if (theirs === undefined || theirs === null) return ours === null;
  if (type === "text" && typeof theirs !== "string") return typeof ours === "string" && same(JSON.parse(ours), theirs);
  return same(ours, theirs);
}

/** Equal, but for fields and elements that Arrow fills up with null and values that share a place with objects. */
function same(ours: unknown, theirs: Json): boolean {
  if (Object.is(ours, theirs) || (ours === null && theirs === undefined)) return true;
  if (typeof theirs !== "string" && typeof ours === "string") return same(JSON.parse(ours), theirs);
  if (Array.isArray(theirs)) return Array.isArray(ours) && ours.length === theirs.length && theirs.every((each, i) => same(ours[i], each));
  if (typeof ours !== "object" || ours === null || typeof theirs !== "object" || theirs === null) return false;
  const [mine, yours] = [ours as Record<string, unknown>, theirs as Record<string, Json>];
  return [...new Set([...Object.keys(mine), ...Object.keys(yours)])].every((key) => same(mine[key] ?? null, yours[key] ?? null));
}

test("values of seeded random documents are those of JSON.parse, however they are written and cut into chunks", async () => {
  for (let seed = 1; seed <= 150; seed++) {
    const random = randomOf(seed);
    const rows = rowsOf(random);
    const lines = seed % 3 === 0;
    const parts = rows.map((row) => written(random, row, lines));
    const text = lines ? parts.join("\n") : seed % 3 === 1 ? `[${parts.join(",")}]` : parts.join(" ");
    const parsed = parts.map((part) => JSON.parse(part) as Record<string, Json>);
    if (parsed.every((row) => Object.keys(row).length === 0)) continue;
    const bytes = Buffer.from(text);
    for (const chunk of [bytes.length, 1 + below(random, bytes.length)]) {
      const [read] = await readTables(
        inputOf(bytes, chunk, seed % 3 === 0 ? { lines: true } : seed % 3 === 2 ? { orient: "records" } : {}),
      );
      expect(read?.misfits).toEqual([]);
      expect(read?.rows).toHaveLength(rows.length);
      parsed.forEach((row, i) => {
        const mine = read?.rows[i] ?? {};
        for (const key of new Set([...Object.keys(row), ...Object.keys(mine)])) {
          const theirs = Object.hasOwn(row, key) ? row[key] : undefined;
          const ours = Object.hasOwn(mine, key) ? mine[key] : "no such column";
          if (!matches(ours, theirs, read?.types[key]))
            throw new Error(`seed ${seed}, row ${i}, ${key}: ${JSON.stringify(ours)} is not ${JSON.stringify(theirs)} in ${text}`);
        }
      });
    }
  }
});

const SMALL = [
  ["ndjson", '{"a":1,"b":"ž"}\n{"a":-2.5e3,"b":"\\ud83d\\ude00"}\nnot\n\n{"b":[1,[2,{"c":null}]]}\n', {}],
  ["json", '\ufeff[ {"a":1} , {"a":true,"c":{"x":[]}}, 7, null, {"a":"é\\n"} ]\n', {}],
  ["json", '{"a":1}{"a":12}{"a":123}', {}],
  ["json", '{"a":[1,2,34],"b":["x","yy","z"],"agent_name":"q"}', {}],
  ["json", '{"a":{"x":1,"y":22},"b":{"x":null,"y":"q"}}', { orient: "columns" }],
  ["json", '{"r":{"a":1},"s":{"a":2}}', { orient: "index" }],
  ["json", '{"columns":["a","b"],"index":["r","s"],"data":[[1,"x"],[2,"yy"],[3]]}', {}],
  ["json", '{"o":[{"a":1},{"a":22}],"l":[{"b":"x"}]}', {}],
  ["json", "[[1,2.5],[33,4]]", {}],
] as const;

test("every chunk size gives the same rows", async () => {
  for (const [name, text, options] of SMALL) {
    const bytes = Buffer.from(text);
    const whole = await readTables(inputOf(bytes, bytes.length, options, name));
    for (let chunk = 1; chunk < bytes.length; chunk++) {
      expect(await readTables(inputOf(bytes, chunk, options, name)), `${text} in chunks of ${chunk}`).toEqual(whole);
    }
  }
});
