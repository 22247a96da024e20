import { expect, test } from "vitest";
import { corpus } from "./corpus.ts";
import { scoreOrc } from "./scores/orc.ts";

const examples = corpus("orc-examples");

const TIMEOUT_MS = 120_000;

test.skipIf(examples === null)(
  "every example of apache/orc is read row for row, and every corrupt one refused",
  { timeout: TIMEOUT_MS },
  async () => {
    const results = await scoreOrc(examples ?? "");
    expect(results.filter(({ wrong }) => wrong !== null)).toEqual([]);
    expect(results.filter(({ must }) => must === "read")).toHaveLength(42);
    expect(results.filter(({ must }) => must === "refuse")).toHaveLength(5);
  },
);
