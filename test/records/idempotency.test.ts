import { expect, test } from "vitest";
import { faultOf, must, onRecords, staged } from "./suite.ts";

onRecords("idempotency keys", (suite) => {
  const begin = (key: string) => suite().records.idempotency.begin(suite().org, key);
  const answer = { fingerprint: "f1", status: 200, body: { history_id: 7 } };
  const expireLease = (key: string) =>
    suite().sql("UPDATE idempotency_keys SET lease_until = now() - interval '1 s' WHERE key = $1", [key]);

  async function token(key: string): Promise<string> {
    const begun = await begin(key);
    if (!("token" in begun)) throw new Error("the key was taken");
    return begun.token;
  }

  test("of 20 requests with one key one runs and the others are told that it is running", async () => {
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => faultOf(begin("crowd"))));
    expect(outcomes.filter((outcome) => outcome === "idempotency_running")).toHaveLength(19);
  });

  test("the first answer comes again, with the fingerprint by which a mismatch is told", async () => {
    const { org, records } = suite();
    await records.idempotency.finish(org, "again", await token("again"), answer);
    expect(await begin("again")).toEqual({ answer });
    expect(await begin("again")).toEqual({ answer });
  });

  test("a key whose lease ran out is another's; the first can then neither renew, finish nor commit", async () => {
    const s = suite();
    const first = await token("lost");
    expect(await s.records.idempotency.renew(s.org, "lost", first)).toBe(true);
    await expireLease("lost");
    const second = await token("lost");
    expect(await s.records.idempotency.renew(s.org, "lost", first)).toBe(false);
    expect(await faultOf(s.records.idempotency.finish(s.org, "lost", first, answer))).toBe("idempotency_running");
    await s.records.idempotency.release(s.org, "lost", first);
    const dataset = await s.dataset();
    const sync = await s.start(dataset);
    const file = staged("a.csv");
    const upload = { target: s.target(dataset, sync), files: [file], options: {}, rules: {} };
    const commit = (by: string) =>
      s.records.uploads.commit({ ...upload, idempotency: { running: { key: "lost", token: by }, answer: () => answer } });
    expect(await faultOf(commit(first))).toBe("idempotency_running");
    expect(await s.records.history.file(s.org, file.id)).toBeNull();
    expect((await s.sync(sync)).total).toBe(0);
    expect(await commit(second)).toHaveLength(1);
    expect(await begin("lost")).toEqual({ answer });
  });

  test("key and answer are committed with the files, or not at all", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const sync = await s.start(dataset);
    await s.records.syncs.end(s.org, sync);
    const running = { key: "with-files", token: await token("with-files") };
    const commit = (into: typeof sync) =>
      s.records.uploads.commit({
        target: s.target(dataset, into),
        files: [staged("a.csv"), staged("b.csv")],
        options: {},
        rules: {},
        idempotency: { running, answer: (files) => ({ fingerprint: "f2", status: 200, body: files.map((file) => file.historyNo) }) },
      });
    expect(await faultOf(commit(sync))).toBe("sync_closed");
    expect(await faultOf(begin("with-files"))).toBe("idempotency_running");
    const accepted = await commit(await s.start(dataset));
    expect(await begin("with-files")).toEqual({
      answer: { fingerprint: "f2", status: 200, body: accepted.map((file) => file.historyNo) },
    });
  });

  test("files that are lost in the instant of their commit leave no answer behind", async () => {
    const s = suite();
    const dataset = await s.dataset();
    const sync = await s.start(dataset);
    const running = { key: "lost-commit", token: await token("lost-commit") };
    const files = [staged("doomed.csv")];
    const upload = { target: s.target(dataset, sync), files, options: {}, rules: {}, idempotency: { running, answer: () => answer } };
    await s.sql(`CREATE FUNCTION doom() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'doomed'; END $$`);
    await s.sql(`CREATE CONSTRAINT TRIGGER doom AFTER INSERT ON files DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION doom()`);
    await expect(s.records.uploads.commit(upload)).rejects.toThrow("doomed");
    await s.sql("DROP FUNCTION doom CASCADE");
    expect(await faultOf(begin("lost-commit"))).toBe("idempotency_running");
    expect((await s.sync(sync)).total).toBe(0);
    expect(await s.records.uploads.commit(upload)).toHaveLength(1);
    expect(await begin("lost-commit")).toEqual({ answer });
  });

  test("a released key can be taken again; a finished one cannot be released", async () => {
    const { org, records } = suite();
    const first = await token("released");
    await records.idempotency.release(org, "released", first);
    const second = await token("released");
    await records.idempotency.finish(org, "released", second, answer);
    await records.idempotency.release(org, "released", second);
    expect(await begin("released")).toEqual({ answer });
  });

  test("keys are an org's own", async () => {
    const s = suite();
    await token("mine");
    await s.records.directory.ensureOrg(5 as typeof s.org, "other");
    expect(await s.records.idempotency.begin(5 as typeof s.org, "mine")).toHaveProperty("token");
  });

  test("an answer is forgotten after 24 hours, not before", async () => {
    const s = suite();
    for (const [key, age] of [
      ["young", "23 hours"],
      ["old", "25 hours"],
      ["purged", "25 hours"],
    ] as const) {
      await s.records.idempotency.finish(s.org, key, await token(key), answer);
      await s.sql("UPDATE idempotency_keys SET created_at = now() - $2::interval WHERE key = $1", [key, age]);
    }
    expect(await begin("young")).toEqual({ answer });
    expect(await begin("old")).toHaveProperty("token");
    await s.records.idempotency.purge();
    const left = await s.sql<{ key: string }>("SELECT key FROM idempotency_keys WHERE key IN ('young', 'old', 'purged') ORDER BY key");
    expect(left.map((each) => must(each.key))).toEqual(["old", "young"]);
  });
});
