import { describe, expect, it } from "vitest";
import type { ClaimedFile, HeldFile, Work } from "@sluice/core/ports/work";
import { LeaseLost } from "@sluice/core/flow/claim";
import { heldFiles } from "./held-files.ts";

const file = (id: string, epoch = 1) => ({ id, epoch }) as ClaimedFile;

/** Records that answer a heartbeat with the files they say are lost, and note what they were told. */
function records(lost: readonly string[]) {
  const beats: (readonly HeldFile[])[] = [];
  const heartbeat: Work["heartbeat"] = (held) => {
    beats.push(held);
    return Promise.resolve(held.filter((each) => lost.includes(each.id)).map((each) => each.id));
  };
  return { beats, work: { heartbeat } as Work };
}

describe("held files", () => {
  it("abort what the records gave to another, with the reason, and nothing else", async () => {
    const { work } = records(["b"]);
    const held = heldFiles(work, 6_000, (error) => expect.unreachable(String(error)));
    using a = held.hold(file("a"));
    using b = held.hold(file("b"));
    await held.beat();
    expect(a.signal.aborted).toBe(false);
    expect(b.signal.reason).toBeInstanceOf(LeaseLost);
  });

  it("report progress, and stop beating for a file that was let go", async () => {
    const { work, beats } = records([]);
    const held = heldFiles(work, 6_000, (error) => expect.unreachable(String(error)));
    const a = held.hold(file("a"));
    a.progress(10, 100);
    await held.beat();
    a[Symbol.dispose]();
    await held.beat();
    expect(beats).toEqual([[{ id: "a", epoch: 1, rows: 10, bytes: 100 }]]);
  });

  it("outlive records that do not answer", async () => {
    const errors: unknown[] = [];
    const work = { heartbeat: () => Promise.reject(new Error("away")) } as unknown as Work;
    const held = heldFiles(work, 6_000, (error) => errors.push(error));
    using a = held.hold(file("a"));
    await held.beat();
    expect(errors).toHaveLength(1);
    expect(a.signal.aborted).toBe(false);
  });
});
