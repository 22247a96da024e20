import { afterAll, beforeAll, expect, it } from "vitest";
import { type Core, openCore } from "../harness/core.ts";

let core: Core;

beforeAll(async () => {
  core = await openCore();
});
afterAll(() => core[Symbol.asyncDispose]());

it("off: when a later file's values clash, the earlier file is made again as text, and both are published", async () => {
  const sync = await core.start(await core.dataset("/policies/off", { policy: "off" }));
  const [first] = await core.upload(sync, { "a.csv": "id,v\n1,10\n2,2.50\n3,-7\n" });
  await core.work();
  const [second] = await core.upload(sync, { "b.csv": "v,new\nten,x\n7,y\n" });
  await core.work();
  if (!first || !second) throw new Error("nothing was uploaded");
  expect(await core.file(first)).toMatchObject({ state: "loaded", counts: { loaded: 3 } });
  expect(await core.file(second)).toMatchObject({ state: "loaded", counts: { loaded: 2 } });
  const rows = await core.rows("/policies/off");
  expect(rows.map((row) => row["v"]).sort()).toEqual(["-7", "10", "2.50", "7", "ten"]);
  const [table] = (await core.current("/policies/off")).tables;
  expect(table?.columns.map(({ name, type }) => [name, type])).toEqual([
    ["id", "int64"],
    ["v", "text"],
    ["new", "text"],
  ]);
});

it("coerce: later files keep the columns as they are, and what does not fit is counted", async () => {
  const sync = await core.start(await core.dataset("/policies/coerce", { policy: "coerce" }));
  await core.upload(sync, { "a.csv": "id,v\n1,10\n" });
  await core.work();
  const [second] = await core.upload(sync, { "b.csv": "id,v,more\n2,x,1\n3\n" });
  await core.work();
  if (!second) throw new Error("nothing was uploaded");
  expect(await core.file(second)).toMatchObject({ state: "loaded", counts: { read: 2, loaded: 2, rejected: 0, warnings: 3 } });
  expect(await core.rows("/policies/coerce")).toEqual([
    { id: 1, v: 10 },
    { id: 2, v: null },
    { id: 3, v: null },
  ]);
});

it("strict: a file with an unknown column publishes nothing and says which", async () => {
  const sync = await core.start(await core.dataset("/policies/strict", { policy: "strict" }));
  await core.upload(sync, { "a.csv": "id\n1\n" });
  await core.work();
  const [second] = await core.upload(sync, { "b.csv": "id,v\n2,x\n" });
  await core.work();
  if (!second) throw new Error("nothing was uploaded");
  expect(await core.file(second)).toMatchObject({ state: "failed", fault: { code: "schema_mismatch", field: "v" } });
  expect(await core.rows("/policies/strict")).toEqual([{ id: 1 }]);
});
