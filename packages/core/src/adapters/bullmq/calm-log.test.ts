import { describe, expect, it } from "vitest";
import { calmLog } from "./calm-log.ts";

describe("the queue's log", () => {
  const lines: object[] = [];
  let now = 0;
  const push = (fields: object, message: string) => void lines.push({ ...fields, message });
  const log = calmLog({ info: push, warn: push, error: push }, { now: () => now });

  it("writes the same warning once in ten seconds and says how many it held back", () => {
    for (let i = 0; i < 7; i++) log.warn({ err: new Error("refused") }, "down");
    expect(lines.splice(0)).toMatchObject([{ message: "down" }]);
    now = 10_000;
    log.warn({ err: new Error("refused") }, "down");
    expect(lines.splice(0)).toMatchObject([{ message: "down", linesHeldBack: 6 }]);
  });

  it("writes ten lines a second at most, whatever they say", () => {
    now = 20_000;
    for (let i = 0; i < 25; i++) log.error({ i }, `job ${i} failed`);
    expect(lines.splice(0)).toHaveLength(10);
    now = 21_000;
    log.info({}, "up");
    expect(lines.splice(0)).toEqual([{ message: "up", linesHeldBack: 15 }]);
  });
});
