import { readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, normalize, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const MAX_LINES = 400;

/** Where a core folder may import from (itself besides). Files in `src` itself are the doors. */
const CORE_MAY: Readonly<Record<string, readonly string[]>> = {
  domain: [],
  ports: ["domain"],
  schema: ["domain"],
  columns: ["domain", "schema"],
  parquet: ["domain", "schema", "columns"],
  formats: ["domain", "schema", "columns", "parquet"],
  flow: ["domain", "ports", "schema", "columns", "parquet", "formats"],
  manage: ["domain", "ports", "flow"],
  doors: ["domain", "ports", "flow", "manage"],
  adapters: ["domain", "ports"],
};
/** A room may name the type of what its door is asked for. */
const TYPES_OF_A_DOOR = /^packages\/core\/src\/flow\/(receive|stage)\.ts -> packages\/core\/src\/accept\.ts$/;
/** Where a process is put together: `main.ts`, what it runs at once, and the command line beside it. */
const COMPOSES = /^apps\/[^/]+\/src\/(main|run-[a-z-]+|admin)\.ts$/;
/** Picks an adapter by the URL that it is given. */
const PICKS_ADAPTER = "packages/core/src/adapters/object-store-from-url.ts";
/** Reads or hands on the environment. */
const READS_ENVIRONMENT = /^apps\/[^/]+\/src\/(main|admin)\.ts$|\/config\.ts$/;
const TEST_CODE = /\.(test|stub|contract)\.ts$/;

interface Import {
  readonly from: string;
  /** A file of the project, or the name of a package. */
  readonly to: string;
  readonly typeOnly: boolean;
}

function filesBelow(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|mts|tsx|mjs)$/.test(entry.name) && !entry.parentPath.includes("node_modules"))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)));
}

const IMPORT = /^(?:import|export)\s+(type\s+)?(?:([^"';]*?)\s+from\s+)?"([^"]+)";?$|\bimport\("([^"]+)"\)/gm;

function importsOf(from: string, source: string): Import[] {
  return [...source.matchAll(IMPORT)].flatMap(([, type, names = "", plain, dynamic]) => {
    const to = resolved(from, plain ?? dynamic ?? "");
    const members = /^\{([\s\S]*)\}$/
      .exec(names.trim())?.[1]
      ?.split(",")
      .map((name) => name.trim());
    const typeOnly = type !== undefined || (members?.filter(Boolean).every((name) => name.startsWith("type ")) ?? false);
    return [{ from, to, typeOnly }];
  });
}

function resolved(from: string, specifier: string): string {
  if (specifier.startsWith(".")) return normalize(join(dirname(from), specifier));
  const own = /^@sluice\/core\/(.+)$/.exec(specifier)?.[1];
  return own === undefined ? specifier : `packages/core/src/${own}.ts`;
}

const sources = new Map([...filesBelow("packages"), ...filesBelow("apps")].map((file) => [file, readFileSync(join(ROOT, file), "utf8")]));
const product = [...sources.keys()].filter((file) => !TEST_CODE.test(file));
const imports = product.flatMap((file) => importsOf(file, sources.get(file) ?? ""));
const arrow = ({ from, to }: Import) => `${from} -> ${to}`;

/** The folder of core that a file belongs to, `doors` for those in `src` itself; null outside of core. */
function roomOf(file: string): string | null {
  const inside = /^packages\/core\/src\/(?:([^/]+)\/)?[^/]/.exec(file);
  return inside && (inside[1] ?? "doors");
}

const surfaceOf = (file: string) => /^apps\/api\/src\/surfaces\/([^/]+)\//.exec(file)?.[1] ?? null;

describe("this test reads what there is", () => {
  test("every import of the project leads to a file of it or to a package", () => {
    expect(product.length).toBeGreaterThan(100);
    expect(imports.length).toBeGreaterThan(500);
    const lost = imports.filter(({ to }) => /^(packages|apps)\//.test(to) && !sources.has(to));
    expect(lost.map(arrow)).toEqual([]);
  });

  test("it sees imports of types, over several lines, for their effect, and at run time", () => {
    const source =
      'import type { A } from "./a.ts";\nimport {\n  type B,\n  c,\n} from "../b.ts";\nimport "c";\nconst d = await import("./d.ts");\nexport { e } from "./e.ts";\nimport { type F } from "@sluice/core/ports/f";\n';
    expect(importsOf("apps/x/y.ts", source).map(({ to, typeOnly }) => [to, typeOnly])).toEqual([
      ["apps/x/a.ts", true],
      ["apps/b.ts", false],
      ["c", false],
      ["apps/x/d.ts", false],
      ["apps/x/e.ts", false],
      ["packages/core/src/ports/f.ts", true],
    ]);
  });

  test("every folder of core has its place in the order", () => {
    const rooms = new Set(product.map(roomOf).filter((room) => room !== null));
    expect([...rooms].filter((room) => !Object.hasOwn(CORE_MAY, room))).toEqual([]);
  });
});

describe("imports go one way", () => {
  test("within core", () => {
    const wrong = imports.filter((each) => {
      const [from, to] = [roomOf(each.from), roomOf(each.to)];
      if (from === null || to === null || from === to) return false;
      if (each.typeOnly && TYPES_OF_A_DOOR.test(arrow(each))) return false;
      return !CORE_MAY[from]?.includes(to);
    });
    expect(wrong.map(arrow)).toEqual([]);
  });

  test("the domain imports nothing but itself and a hash", () => {
    const outside = imports.filter(({ from, to }) => roomOf(from) === "domain" && roomOf(to) !== "domain" && to !== "node:crypto");
    expect(outside.map(arrow)).toEqual([]);
  });

  test("an adapter imports no other adapter's folder", () => {
    const folder = (file: string) => /^packages\/core\/src\/adapters\/([^/]+)\//.exec(file)?.[1] ?? null;
    const across = imports.filter(({ from, to }) => folder(to) !== null && roomOf(from) === "adapters" && folder(from) !== folder(to));
    expect(across.filter(({ from }) => from !== PICKS_ADAPTER).map(arrow)).toEqual([]);
  });

  test("no surface imports another, and none reaches past the doors", () => {
    const wrong = imports.filter(({ from, to, typeOnly }) => {
      const surface = surfaceOf(from);
      if (surface === null) return false;
      if (surfaceOf(to) !== null) return surfaceOf(to) !== surface;
      const room = roomOf(to);
      return room !== null && !["domain", "doors", "manage"].includes(room) && !(typeOnly && room === "ports");
    });
    expect(wrong.map(arrow)).toEqual([]);
  });

  test("what surfaces share knows none of them", () => {
    const wrong = imports.filter(({ from, to }) => from.startsWith("apps/api/src/http/") && surfaceOf(to) !== null);
    expect(wrong.map(arrow)).toEqual([]);
  });

  test("neither app imports the other, and core imports no app", () => {
    const app = (file: string) => /^apps\/([^/]+)\//.exec(file)?.[1] ?? null;
    expect(imports.filter(({ from, to }) => app(to) !== null && app(from) !== app(to)).map(arrow)).toEqual([]);
  });

  test("only where a process is put together are adapters named", () => {
    const wrong = imports.filter(({ from, to }) => roomOf(to) === "adapters" && roomOf(from) !== "adapters" && !COMPOSES.test(from));
    expect(wrong.map(arrow)).toEqual([]);
  });

  test("the API loads neither formats nor parquet, not even through others", () => {
    const reached = reachedFrom(product.filter((file) => file.startsWith("apps/api/")));
    expect(reached).toContain("packages/core/src/flow/enqueue.ts");
    expect(reached.filter((file) => /^(formats|parquet)$/.test(roomOf(file) ?? ""))).toEqual([]);
    expect(reached.filter((file) => /^(parquet-wasm|apache-arrow|csv-parse|exceljs)/.test(file))).toEqual([]);
  });

  test("formats, schema and parquet reach for no network, files or processes of their own", () => {
    const builtins = new Set(builtinModules.flatMap((name) => [name, `node:${name}`]));
    const pure = new Set([
      "node:zlib",
      "node:buffer",
      "node:util",
      "node:crypto",
      "node:stream",
      "node:stream/promises",
      "node:events",
      "node:module",
      "node:url",
    ]);
    const wrong = imports.filter(
      ({ from, to }) => /^(formats|schema|parquet)$/.test(roomOf(from) ?? "") && builtins.has(to) && !pure.has(to),
    );
    expect(wrong.map(arrow)).toEqual([]);
  });

  test("nothing imports a barrel of its own package", () => {
    const barrels = new Set(product.filter((file) => isBarrel(sources.get(file) ?? "")));
    expect(isBarrel('/** All. */\nexport { a } from "./a.ts";\nexport type {\n  B,\n} from "./b.ts";\n')).toBe(true);
    expect(isBarrel('export { a } from "./a.ts";\nexport const b = 1;\n')).toBe(false);
    const owner = (file: string) => /^(?:apps|packages)\/[^/]+\//.exec(file)?.[0];
    expect(imports.filter(({ from, to }) => barrels.has(to) && owner(from) === owner(to)).map(arrow)).toEqual([]);
  });
});

/** Everything that these files load at run time, packages included. */
function reachedFrom(files: readonly string[]): string[] {
  const reached = new Set(files);
  for (const file of reached) for (const each of imports) if (each.from === file && !each.typeOnly) reached.add(each.to);
  return [...reached];
}

/** A file that only hands on what others export. */
function isBarrel(source: string): boolean {
  const code = source.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
  return /^export\b[^"]*\bfrom\s+"/m.test(code) && code.replaceAll(/export\s+(?:type\s+)?\{[^}]*\}\s+from\s+"[^"]+";/g, "").trim() === "";
}

describe("files", () => {
  const all = [
    ...sources,
    ...[...filesBelow("test"), ...filesBelow("scripts")].map((file) => [file, readFileSync(join(ROOT, file), "utf8")] as const),
  ];

  test(`none is longer than ${MAX_LINES} lines`, () => {
    const lines = ([, text]: readonly [string, string]) => text.split("\n").length - 1;
    expect(all.filter((each) => lines(each) > MAX_LINES).map((each) => `${each[0]}: ${lines(each)}`)).toEqual([]);
  });

  test("none exports everything of another", () => {
    expect(all.filter(([, text]) => /^export\s+(type\s+)?\*/m.test(text)).map(([file]) => file)).toEqual([]);
  });

  test("none reads the environment but where a process begins, and its configuration", () => {
    const reading = product.filter((file) => /\bprocess\.env\b|\benv\b[^;]*\bfrom "node:process"/.test(sources.get(file) ?? ""));
    expect(reading.length).toBeGreaterThan(0);
    expect(reading.filter((file) => !READS_ENVIRONMENT.test(file))).toEqual([]);
  });

  test("none is a drawer", () => {
    expect(product.filter((file) => /(^|\/)(utils?|lib|helpers?)(\/|\.ts$)/.test(file))).toEqual([]);
  });
});
