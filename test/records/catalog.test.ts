import { DEFAULT_RULES } from "@sluice/core/domain/options";
import type { DatasetId, OrgId, PartId } from "@sluice/core/domain/ids";
import type { LivePart } from "@sluice/core/ports/catalog";
import { expect, test } from "vitest";
import {
  column,
  counts,
  DOUBLES,
  faultOf,
  findings,
  int64,
  INTS,
  keysOf,
  loadedFile,
  must,
  onRecords,
  part,
  schema,
  text,
} from "./suite.ts";

onRecords("datasets and their parts", (suite) => {
  const open = (path: string, org = suite().org) => suite().records.catalog.open(org, path, { rules: DEFAULT_RULES, declared: {} });

  test("a path is one dataset however often and however many at once ask for it", async () => {
    const opened = await Promise.all(Array.from({ length: 16 }, () => open("/same/path")));
    expect(new Set(opened.map((each) => each.dataset.id)).size).toBe(1);
    expect(opened.filter((each) => each.created)).toHaveLength(1);
    expect((await open("/same/path")).created).toBe(false);
    expect(must(opened[0]).dataset).toMatchObject({
      version: 0,
      writtenVersion: -1,
      generationNumber: 1,
      schemas: {},
      rules: DEFAULT_RULES,
    });
  });

  test("no dataset lies inside another, asked in either order; names that only begin alike are no conflict", async () => {
    await open("/a/b");
    expect(await faultOf(open("/a/b/c"))).toBe("path_conflict");
    expect(await faultOf(open("/a/b/c/d/e"))).toBe("path_conflict");
    expect(await faultOf(open("/a"))).toBe("path_conflict");
    expect((await open("/a/bc")).created).toBe(true);
    expect((await open("/a/b-c")).created).toBe(true);
    expect((await open("/a/b_")).created).toBe(true);
    expect((await open("/a_b")).created).toBe(true);
    const s = suite();
    await s.records.directory.ensureOrg(9 as OrgId, "nine");
    expect((await open("/a", 9 as OrgId)).created).toBe(true);
  });

  test("of a parent and a child that are made at once exactly one is", async () => {
    for (let round = 0; round < 10; round++) {
      const outcomes = await Promise.all([`/r${round}`, `/r${round}/x`, `/r${round}/x/y`].map((path) => faultOf(open(path))));
      expect(outcomes.filter((outcome) => outcome === "path_conflict").length).toBe(2);
    }
  });

  test("pages of the list hold every dataset once, in ascending order", async () => {
    const s = suite();
    const org = 31 as OrgId;
    await s.records.directory.ensureOrg(org, "many");
    const made: string[] = [];
    for (let i = 0; i < 25; i++) made.push((await open(`/list/${i}`, org)).dataset.id);
    const seen: string[] = [];
    for (let after: DatasetId | null = null; ;) {
      const page: readonly { readonly id: DatasetId }[] = await s.records.catalog.list(org, { after, limit: 7 });
      if (page.length === 0) break;
      seen.push(...page.map((each) => each.id));
      after = must(page.at(-1)).id;
    }
    expect(seen).toEqual([...made].sort());
  });

  test("rules are changed one by one, and an unknown dataset's not at all", async () => {
    const s = suite();
    const dataset = await s.dataset();
    await s.records.catalog.setRules(s.org, dataset, { onBadRow: "coerce" });
    await s.records.catalog.setRules(s.org, dataset, { maxRejects: { rows: 4 } });
    expect((await s.datasetNow(dataset)).rules).toEqual({ policy: "evolve", onBadRow: "coerce", maxRejects: { rows: 4 } });
    expect(await faultOf(s.records.catalog.setRules(8 as OrgId, dataset, { onBadRow: "strict" }))).toBe("not_found");
  });

  test("a reader who pages at one version sees that version while files are published and remade", async () => {
    const s = suite();
    const dataset = await s.dataset({ main: INTS });
    const sync = await s.start(dataset);
    const early = [];
    for (let i = 0; i < 9; i++) early.push(await s.uploadAndLoad(dataset, sync));
    const pinned = (await s.datasetNow(dataset)).version;
    const seen: string[] = [];
    for (let after: PartId | null = null, turn = 0; ; turn++) {
      const page: readonly LivePart[] = must(await s.records.catalog.parts(dataset, { version: pinned, after, limit: 2 }));
      if (page.length === 0) break;
      seen.push(...page.map((each) => each.key));
      after = must(page.at(-1)).id;
      if (turn === 0) await s.uploadAndLoad(dataset, sync);
      if (turn === 1) {
        // All are made again under a wider type: the pinned reader goes on with the old ones.
        const [file] = await s.upload(dataset, sync);
        const claimed = await s.claim(must(file));
        const sources = await s.records.publication.toRemake(claimed.target.generation, "main", DOUBLES);
        const remade = [];
        for (const source of sources) {
          const epoch = await s.records.publication.mintRemake(source.file);
          remade.push({ file: source.file, epoch, parts: [part(source.file, epoch)], findings: findings(counts(3)) });
        }
        expect(await s.records.publication.publishLoaded(loadedFile(claimed, DOUBLES, { change: "widened", remade }))).toBe("done");
      }
      if (turn === 2) {
        const full = await s.start(dataset, { type: "full" });
        await s.uploadAndLoad(dataset, full);
        await s.complete(full);
      }
    }
    expect(seen.sort()).toEqual(keysOf(...early));
    expect(await s.keys(dataset)).toHaveLength(1);
  });

  test("a version whose parts were collected can no longer be shown; later ones can; one to come neither", async () => {
    const s = suite();
    const dataset = await s.dataset({ main: INTS });
    const old = await s.uploadAndLoad(dataset, await s.start(dataset));
    const { generation, schemaVersion } = await s.datasetNow(dataset);
    const epoch = await s.records.publication.mintRemake(old.file);
    const remade = [{ file: old.file, epoch, parts: [part(old.file, epoch)], findings: findings(counts(3)) }];
    await s.records.publication.publishSchema({ dataset, generation, basedOn: schemaVersion, schemas: { main: DOUBLES }, remade });
    expect(await s.keys(dataset, 1)).toEqual(keysOf(old));
    const dead = (await s.records.trash.collectable(0, 100)).filter((each) => each.key === keysOf(old)[0]);
    await s.records.trash.collected(dead.map((each) => each.id));
    expect(await s.keys(dataset, 1)).toBeNull();
    expect(await s.keys(dataset, 2)).toHaveLength(1);
    expect(await s.keys(dataset, 3)).toBeNull();
  });

  test("totals are those of the live generation alone", async () => {
    const s = suite();
    const dataset = await s.dataset();
    await s.uploadAndLoad(dataset, await s.start(dataset));
    const full = await s.start(dataset, { type: "full" });
    await s.uploadAndLoad(dataset, full, schema(column(1, "x", int64), column(2, "n", text)));
    await s.store(must((await s.upload(dataset, full))[0]));
    expect(await s.records.catalog.totals(dataset)).toEqual({ parts: 1, rows: 3, bytes: 100, opaqueFiles: 0 });
    await s.complete(full);
    expect(await s.records.catalog.totals(dataset)).toEqual({ parts: 1, rows: 3, bytes: 110, opaqueFiles: 1 });
  });
});
