import { expect, test } from "vitest";
import { corpus } from "./corpus.ts";
import { scoreArrow } from "./scores/arrow.ts";

const TIMEOUT_MS = 60_000;

const golden = corpus("arrow-testing/data/arrow-ipc-stream/integration");
test.skipIf(golden === null)(
  "of the golden Arrow files at least 172 of 182 are read as their JSON says, and none as anything else",
  async () => {
    const score = await scoreArrow(golden ?? "");
    expect(score.wrong).toEqual([]);
    expect(score.files).toBe(182);
    expect(score.equal).toBeGreaterThanOrEqual(172);
  },
  TIMEOUT_MS,
);
