import { describe, expect, it } from "vitest";
import { slots } from "./slots.ts";

const never = new AbortController().signal;
const settled = async (promise: Promise<unknown>) => {
  let done = false;
  void promise.then(() => (done = true));
  // A turn of the event loop: whatever could settle without anybody leaving has settled.
  await new Promise((resolve) => setImmediate(resolve));
  return done;
};

describe("slots", () => {
  it("let ordinary files run side by side", async () => {
    const enter = slots();
    const all = await Promise.all([1, 2, 3].map(() => enter({ lostLeases: 0 }, never)));
    expect(all).toHaveLength(3);
  });

  it("let a file that lost its lease three times run alone: it waits for the others, and they for it", async () => {
    const enter = slots();
    const first = await enter({ lostLeases: 0 }, never);
    const lonely = enter({ lostLeases: 3 }, never);
    const later = enter({ lostLeases: 0 }, never);
    expect(await settled(lonely)).toBe(false);
    first[Symbol.dispose]();
    const held = await lonely;
    expect(await settled(later)).toBe(false);
    held[Symbol.dispose]();
    expect(await settled(later)).toBe(true);
  });

  it("forget who gave up waiting", async () => {
    const enter = slots();
    const first = await enter({ lostLeases: 3 }, never);
    const aborter = new AbortController();
    const gone = enter({ lostLeases: 0 }, aborter.signal);
    aborter.abort(new Error("lost"));
    await expect(gone).rejects.toThrow("lost");
    const next = enter({ lostLeases: 0 }, never);
    first[Symbol.dispose]();
    expect(await settled(next)).toBe(true);
  });
});
