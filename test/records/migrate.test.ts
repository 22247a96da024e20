import { openRecords } from "@sluice/core/adapters/postgres/open-records";
import { isFault } from "@sluice/core/domain/fault";
import { expect, test } from "vitest";
import { until } from "../harness/until.ts";
import { clock, faultOf, freshDatabase, onRecords } from "./suite.ts";

async function opened(url: string): Promise<{ migrations: string[] }> {
  const migrations: string[] = [];
  const log = { info: (detail: object) => migrations.push(...(detail as { migrations: string[] }).migrations), warn: () => undefined };
  const records = await openRecords({ databaseUrl: url, poolSize: 2, clock, log });
  await records.directory.ping();
  await records.close();
  return { migrations };
}

onRecords("migrating the records", (suite) => {
  test("of 6 processes that start on an empty database at once one migrates, and all serve", async () => {
    const { url, drop } = await freshDatabase();
    try {
      const ran = await Promise.all(Array.from({ length: 6 }, () => opened(url)));
      expect(ran.flatMap((each) => each.migrations)).toContain("0001-records.sql");
      expect(ran.filter((each) => each.migrations.length > 0)).toHaveLength(1);
    } finally {
      await drop();
    }
  });

  test("a second start does nothing", async () => {
    const before = await suite().sql("SELECT * FROM migrations");
    expect((await opened(suite().url)).migrations).toEqual([]);
    expect(await suite().sql("SELECT * FROM migrations")).toEqual(before);
  });

  test("a database of a newer version is refused by name, and left as it is", async () => {
    const s = suite();
    await s.sql("INSERT INTO migrations (name) VALUES ('9999-from-the-future.sql')");
    await expect(opened(s.url)).rejects.toThrow("9999-from-the-future.sql");
    await s.sql("DELETE FROM migrations WHERE name LIKE '9999%'");
    expect((await opened(s.url)).migrations).toEqual([]);
  });

  test("a server that is not there is told as records_unavailable", async () => {
    expect(await faultOf(opened("postgres://nobody@127.0.0.1:1/none"))).toBe("records_unavailable");
  });

  test("a statement whose connection dies is told as records_unavailable, and those after it are served", async () => {
    const s = suite();
    const holder = await s.connection();
    await holder.query("BEGIN");
    await holder.query("LOCK TABLE sluice.orgs IN ACCESS EXCLUSIVE MODE");
    const waiting = faultOf(s.records.directory.ensureOrg(1 as never, "one"));
    let blocked: { pid: number }[] = [];
    while (blocked.length === 0)
      blocked = await s.sql(
        "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'sluice' AND datname = current_database()",
      );
    for (const { pid } of blocked) await s.sql("SELECT pg_terminate_backend($1)", [pid]);
    expect(await waiting).toBe("records_unavailable");
    await holder.query("ROLLBACK");
    await holder.end();
    // The pool may hand out the dead connection once more before it has heard of its end.
    const served = () =>
      s.records.directory.ensureOrg(1 as never, "one").then(
        () => true,
        (error: unknown) => !isFault(error) && Promise.reject(error as Error),
      );
    await until("the records are served again", 5_000, served);
    await s.records.directory.ping();
  });
});
