import { FILE_MOVES } from "@sluice/core/domain/file";
import { SYNC_MOVES } from "@sluice/core/domain/sync";
import { expect, test } from "vitest";
import { findings, counts, must, onRecords } from "./suite.ts";

/** Every change of a state that the database sees, whoever makes it. */
const WATCH = `
  CREATE TABLE moves (what text, before text, after text);
  CREATE FUNCTION note_move() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN INSERT INTO sluice.moves VALUES (TG_TABLE_NAME, OLD.state, NEW.state); RETURN NEW; END $$;
  CREATE TRIGGER watch AFTER UPDATE ON files FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION note_move();
  CREATE TRIGGER watch AFTER UPDATE ON syncs FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION note_move();`;

onRecords("moves between states", (suite) => {
  test("the records make every move of the tables, and no other", async () => {
    const s = suite();
    await s.sql(WATCH);
    const dataset = await s.dataset();
    const { work, uploads, syncs, publication, history } = s.records;
    const lapse = () => s.sql("UPDATE files SET lease_until = now() - interval '1 s' WHERE state = 'claimed'");

    // Files, each of an incremental sync of its own kind.
    const sync = await s.start(dataset);
    const [left] = await s.arrive(["left.csv"]);
    await uploads.abort([must(left).id]);
    await s.arrive(["dead.csv"]);
    await s.sql("UPDATE files SET received_at = now() - interval '2 days' WHERE state = 'receiving'");
    await uploads.abandon(86_400_000);
    const [loaded, stored, failed] = await s.upload(dataset, sync, ["loaded", "stored", "failed"]);
    const { epoch } = await s.claim(must(loaded));
    await work.giveBack(must(loaded), epoch, { delayMs: 0, strike: true });
    await s.claim(must(loaded));
    await lapse();
    await work.overdue(0, 10);
    const made = await s.load(must(loaded));
    await s.store(must(stored));
    await s.fail(must(failed));
    await history.retry(s.org, must(failed));
    await s.fail(must(failed));
    await s.complete(sync);

    // Made again: the state stays.
    const { generation, schemaVersion, schemas } = await s.datasetNow(dataset);
    const again = await publication.mintRemake(made.file);
    const remade = [{ file: made.file, epoch: again, parts: [], findings: findings(counts(0, 3)) }];
    await publication.publishSchema({ dataset, generation, basedOn: schemaVersion, schemas, remade });
    expect((await s.file(made.file)).state).toBe("loaded");

    // Syncs that end otherwise, with files in every open state.
    for (const ending of ["cancelled", "cancelled while ending", "expired"]) {
      const over = await s.start(dataset, { idleMs: 60_000 });
      const [, claimed, waiting] = await s.upload(dataset, over, ["staged", "claimed", "waiting"]);
      await s.claim(must(claimed));
      const held = await s.claim(must(waiting));
      await work.giveBack(must(waiting), held.epoch, { delayMs: 60_000, strike: false });
      if (ending === "cancelled while ending") await syncs.end(s.org, over);
      if (ending === "expired") {
        await s.sql("UPDATE syncs SET started_at = now() - interval '1 hour' WHERE id = $1", [over]);
        await s.sql("UPDATE files SET received_at = now() - interval '1 hour' WHERE sync_id = $1", [over]);
        await syncs.due(100);
      } else await syncs.cancel(s.org, over);
      expect((await s.sync(over)).failed).toBe(3);
    }
    const [older, newer, empty] = [
      await s.start(dataset, { type: "full" }),
      await s.start(dataset, { type: "full" }),
      await s.start(dataset, { type: "full" }),
    ];
    await s.uploadAndLoad(dataset, older);
    await s.uploadAndLoad(dataset, newer);
    for (const full of [newer, older, empty]) await s.complete(full);

    const seen = await s.sql<{ what: string; move: string }>("SELECT DISTINCT what, before || ' -> ' || after AS move FROM moves");
    const of = (what: string) => seen.filter((each) => each.what === what).map((each) => each.move);
    // Links are not taken yet, and a file that is made again does not change its state.
    const files = moves(FILE_MOVES).filter((move) => !move.startsWith("fetching ") && move !== "loaded -> loaded");
    expect(of("files").sort()).toEqual(files.sort());
    expect(of("syncs").sort()).toEqual(moves(SYNC_MOVES).sort());
  });
});

function moves(table: Readonly<Record<string, readonly string[]>>): string[] {
  return Object.entries(table).flatMap(([before, after]) => after.map((each) => `${before} -> ${each}`));
}
