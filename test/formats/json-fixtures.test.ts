import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { FileOptions } from "../../packages/core/src/domain/options.ts";
import { typeName, type ColumnType } from "../../packages/core/src/domain/table-schema.ts";
import { convertBytes, duck, failedWith, loaded } from "./convert-kit.ts";

const folder = join(import.meta.dirname, "../fixtures/json");

/** What a fixture must come to. */
interface Expected {
  readonly options?: FileOptions;
  readonly fault?: { readonly code: string; readonly message: string };
  /** By name: types by column in order (a nested one as its signature), rows as DuckDB writes their values. */
  readonly tables?: Readonly<Record<string, { readonly types: object; readonly rows: readonly object[] }>>;
  readonly rejects?: readonly object[];
  readonly warnings?: number;
}

const typeOf = (type: ColumnType): unknown => (type.kind === "nested" ? JSON.parse(type.signature) : typeName(type));

for (const name of readdirSync(folder).filter((name) => /\.(nd)?json$/.test(name))) {
  test(`json fixture ${name}: types, rows, rejects or the fault are as its .expected says, whole and in reads of seven bytes`, async () => {
    const expected = JSON.parse(readFileSync(join(folder, `${name}.expected`), "utf8")) as Expected;
    for (const readBytes of [2 ** 20, 7]) {
      const { options = {} } = expected;
      const result = await convertBytes(name, readFileSync(join(folder, name)), {
        readBytes,
        options,
        rules: { maxRejects: { share: 1 } },
      });
      if (expected.fault) {
        expect(failedWith(result.outcome).fault).toMatchObject(expected.fault);
        continue;
      }
      const { tables, parts, counts } = loaded(result.outcome);
      expect(tables.map(({ table }) => table)).toEqual(Object.keys(expected.tables ?? {}));
      for (const { table, schema } of tables) {
        const wanted = expected.tables?.[table];
        expect(schema.columns.map(({ name, type }) => [name, typeOf(type)])).toEqual(Object.entries(wanted?.types ?? {}));
        const mine = result.parts.filter((_, i) => parts[i]?.table === table);
        const quoted = schema.columns.map(({ name }) => `"${name}"::varchar as "${name}"`);
        expect(await duck(mine, `select ${quoted.join(", ")} from parts`)).toEqual(wanted?.rows);
      }
      const rejects = expected.rejects ?? [];
      expect(result.rejects).toEqual(rejects.map((reject) => expect.objectContaining(reject)));
      expect(counts).toMatchObject({ rejected: rejects.length, warnings: expected.warnings ?? 0 });
    }
  });
}
