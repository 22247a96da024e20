import type { OrgId } from "@sluice/core/domain/ids";
import { expect, test } from "vitest";
import { double, faultOf, int64, must, onRecords } from "./suite.ts";

onRecords("keys, settings, leases and requested schema changes", (suite) => {
  const key = (prefix: string, hash: number) => ({
    id: `00000000-0000-7000-8000-00000000000${hash}`,
    org: 0 as OrgId,
    prefix,
    hash: new Uint8Array([hash]),
    name: "laptop",
    scopes: ["upload", "read"] as const,
  });

  test("a key is found by its prefix, revoked by prefix or id, and putting it again takes the revocation back", async () => {
    const { directory } = suite().records;
    await directory.putKey(key("aaa", 1));
    await directory.putKey(key("bbb", 2));
    expect(await directory.findKey("aaa")).toMatchObject({ ...key("aaa", 1), revokedAtMs: null });
    expect(await directory.findKey("zzz")).toBeNull();
    expect(await directory.revokeKey("aaa")).toBe(true);
    const revoked = must(await directory.findKey("aaa")).revokedAtMs;
    expect(revoked).not.toBeNull();
    expect(await directory.revokeKey("aaa")).toBe(true);
    expect(must(await directory.findKey("aaa")).revokedAtMs).toBe(revoked);
    expect(await directory.revokeKey(key("bbb", 2).id)).toBe(true);
    expect(await directory.revokeKey("zzz")).toBe(false);
    await directory.putKey({ ...key("aaa", 3), scopes: ["admin"] });
    expect(await directory.findKey("aaa")).toMatchObject({ hash: new Uint8Array([3]), scopes: ["admin"], revokedAtMs: null });
    expect((await directory.listKeys()).map((each) => each.prefix)).toEqual(["aaa", "bbb"]);
  });

  test("replicas that ask for a setting at once all get the same value, for good", async () => {
    const { directory } = suite().records;
    const values = await Promise.all(Array.from({ length: 12 }, (_, i) => directory.setting("secret", `candidate ${i}`)));
    expect(new Set(values).size).toBe(1);
    expect(await directory.setting("secret", "later")).toBe(values[0]);
  });

  test("a lease is one holder's until it is released or runs out", async () => {
    const s = suite();
    const { leases } = s.records;
    const taken = await Promise.all(Array.from({ length: 10 }, (_, i) => leases.take("janitor", `p${i}`, 60_000)));
    expect(taken.filter(Boolean)).toHaveLength(1);
    const holder = `p${taken.indexOf(true)}`;
    expect(await leases.take("janitor", holder, 60_000)).toBe(true);
    expect(await leases.take("janitor", "other", 60_000)).toBe(false);
    await leases.release("janitor", "other");
    expect(await leases.take("janitor", "other", 60_000)).toBe(false);
    await leases.release("janitor", holder);
    expect(await leases.take("janitor", "other", 60_000)).toBe(true);
    await s.sql("UPDATE leases SET until = now() - interval '1 s'");
    expect(await leases.take("janitor", holder, 60_000)).toBe(true);
  });

  test("of 8 changes requested of a table at once one is pending; another table's may be too", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const { schemaChanges } = s.records;
    const ask = (table: string) =>
      faultOf(schemaChanges.request(s.org, dataset, table, { columns: [{ name: "x", type: int64 }], drop: [], maxRejects: null }));
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => ask("main")));
    expect(outcomes.filter((outcome) => outcome === "wrong_state")).toHaveLength(7);
    expect(await ask("other")).toHaveProperty("id");
  });

  test("a pending change is one worker's while its lease lasts, another's after, and nobody's once finished", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const { schemaChanges } = s.records;
    await s.sql("UPDATE schema_changes SET state = 'done'");
    const { id } = await schemaChanges.request(s.org, dataset, "main", {
      columns: [{ name: "x", type: double }],
      drop: [],
      maxRejects: null,
    });
    const taken = (await Promise.all(Array.from({ length: 5 }, () => schemaChanges.take(60_000)))).filter((each) => each !== null);
    expect(taken).toEqual([
      { id, org: s.org, dataset, table: "main", wanted: { columns: [{ name: "x", type: double }], drop: [], maxRejects: null } },
    ]);
    await s.sql("UPDATE schema_changes SET lease_until = now() - interval '1 s' WHERE id = $1", [id]);
    expect((await schemaChanges.take(60_000))?.id).toBe(id);
    const fault = { code: "raw_gone", message: "gone" } as const;
    await schemaChanges.finish(id, fault);
    await schemaChanges.finish(id, null);
    expect(await schemaChanges.get(s.org, id)).toMatchObject({ state: "failed", fault });
    expect(await schemaChanges.take(60_000)).toBeNull();
    expect(
      await faultOf(schemaChanges.request(s.org, dataset, "main", { columns: [{ name: "x", type: double }], drop: [], maxRejects: null })),
    ).toHaveProperty("id");
  });
});
