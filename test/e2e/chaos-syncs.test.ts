import { describe, expect, it } from "vitest";
import { audit } from "../harness/audit.ts";
import { clientOf } from "../harness/client.ts";
import { duck, readCurrent } from "../harness/lake.ts";
import { type Service, withService } from "../harness/service.ts";
import { sequence } from "./seeded.ts";

const FULL = process.env["SLUICE_CHAOS"] === "full";
const POINTS = FULL ? 50 : 5;
const FILES = 4;
const ROWS = 200;
/** Later than this after its end a sync of four small files is closed. */
const WINDOW_MS = 600;

describe("a full sync", () => {
  it(
    `killed at ${POINTS} random points leaves the old or the new generation entire, never a mix`,
    { timeout: 60_000 + POINTS * 20_000 },
    () => withService({ workers: 1, env: { SLUICE_LEASE_SECONDS: "2" } }, randomPoints),
  );

  it("and another at once: one of them is the dataset in the end, entire, and it is the one that began later", { timeout: 60_000 }, () =>
    withService({ workers: 1 }, async (service) => {
      const client = clientOf(service);
      const first = await client.start("/two", "FullSync");
      const second = await client.start("/two", "FullSync");
      await Promise.all(
        [first, second].flatMap((sync, at) => [0, 1, 2, 3].map((file) => client.upload(sync, { [`${file}.csv`]: csvOf(at, file) }))),
      );
      await Promise.all([client.end(first), client.end(second)]);
      expect(await client.closed(second)).toMatchObject({ sync_status: "Finished", total_files: 4, num_failed: 0 });
      // Ended just before the other: swapped and then replaced; just after it: superseded.
      expect(["Finished", "Failed"]).toContain((await client.closed(first)).sync_status);
      expect(await generations(service, "/two")).toEqual([{ generation: 1, rows: FILES * ROWS, kinds: FILES * ROWS }]);
      expect(await audit(service)).toEqual([]);
    }),
  );
});

describe("a sync's end", () => {
  it("racing 100 uploads takes each of them whole or refuses it: a 2xx is in, a 409 is not", { timeout: 60_000 }, () =>
    withService({ workers: 1 }, async (service) => {
      const client = clientOf(service);
      const sync = await client.start("/race");
      let answered = 0;
      let ended = Promise.resolve();
      const answers = await Promise.all(
        Array.from({ length: 100 }, async (_, file) => {
          const answer = await client.tryUpload(sync, { [`${file}.csv`]: `file\n${file}\n` });
          // In the middle of them: a fifth is answered, the others are on their way.
          if (++answered === 20) ended = client.end(sync);
          return { file, ...answer };
        }),
      );
      await ended;
      expect([...new Set(answers.map((answer) => answer.status))].toSorted()).toEqual([200, 409]);
      const taken = answers.filter((answer) => answer.status === 200).map((answer) => answer.file);
      expect(await client.closed(sync)).toMatchObject({ sync_status: "Finished", total_files: taken.length, num_failed: 0 });
      expect(await duck(service, "/race", "SELECT file, count(*) AS rows FROM lake GROUP BY file ORDER BY file")).toEqual(
        taken.toSorted((a, b) => a - b).map((file) => ({ file, rows: 1 })),
      );
      console.log(`end racing 100 uploads: ${taken.length} in, ${100 - taken.length} refused`);
      expect(await audit(service)).toEqual([]);
    }),
  );
});

const csvOf = (generation: number, file: number) =>
  `generation,row\n${Array.from({ length: ROWS }, (_, row) => `${generation},${file * ROWS + row}`).join("\n")}\n`;

/** What a reader sees: how many rows of which generation, and how many different ones. */
const generations = (service: Service, path: string) =>
  duck(
    service,
    path,
    "SELECT generation, count(*) AS rows, count(DISTINCT row) AS kinds FROM lake GROUP BY generation ORDER BY generation",
  );

async function randomPoints(service: Service): Promise<void> {
  const client = clientOf(service);
  const next = sequence("full sync");
  const seen = { old: 0, new: 0 };
  const load = async (generation: number) => {
    const sync = await client.start("/full", "FullSync");
    for (let file = 0; file < FILES; file++) await client.upload(sync, { [`${file}.csv`]: csvOf(generation, file) });
    return sync;
  };
  const first = await load(0);
  await client.end(first);
  await client.closed(first);
  for (let point = 1; point <= POINTS; point++) {
    const sync = await load(point);
    await client.end(sync);
    const killed = new Promise((resolve) => setTimeout(resolve, next() * WINDOW_MS)).then(() => service.workers.at(-1)?.kill("SIGKILL"));
    await killed;
    const [found, ...others] = await generations(service, "/full");
    expect(others).toEqual([]);
    expect(found).toMatchObject({ rows: FILES * ROWS, kinds: FILES * ROWS });
    expect([point - 1, point]).toContain(found?.["generation"]);
    expect((await readCurrent(service, "/full"))?.rows).toBe(FILES * ROWS);
    seen[found?.["generation"] === point ? "new" : "old"] += 1;
    await service.startWorker();
    expect(await client.closed(sync)).toMatchObject({ sync_status: "Finished", total_files: FILES, num_failed: 0 });
    expect(await generations(service, "/full")).toEqual([{ generation: point, rows: FILES * ROWS, kinds: FILES * ROWS }]);
  }
  console.log(
    `full sync killed at ${POINTS} random points: ${seen.old} times the old generation entire, ${seen.new} times the new one, 0 mixed`,
  );
  expect(await audit(service)).toEqual([]);
}
