import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { checkAccount, CLAIMABLE_FILE_STATES, failedAccount, FILE_MOVES, FILE_STATES, mayMoveFile, OPEN_FILE_STATES } from "./file.ts";
import { isClosed, mayMoveSync, planFullSync, planIncrementalSync, SYNC_MOVES, SYNC_STATES } from "./sync.ts";

const page = readFileSync(new URL("../../../../docs/states.md", import.meta.url), "utf8");
const [, files = "", syncs = ""] = page.split(/^## .*$/m);

const drawn = (section: string) => {
  const edges = [...section.matchAll(/^ +(\S+) --> (\S+)$/gm)].map(([, from = "", to = ""]) => [from, to] as const);
  return {
    moves: edges.filter(([from, to]) => from !== "[*]" && to !== "[*]").map((edge) => edge.join(" -> ")),
    final: edges.filter(([, to]) => to === "[*]").map(([from]) => from),
    headings: [...section.matchAll(/^### (\w+)$/gm)].map(([, state]) => state),
    paragraphs: section.split(/^### .*$/m).slice(1),
  };
};
const coded = (moves: Readonly<Record<string, readonly string[]>>) =>
  Object.entries(moves).flatMap(([from, to]) => to.map((each) => `${from} -> ${each}`));

describe.each([
  ["files", files, FILE_MOVES, FILE_STATES],
  ["syncs", syncs, SYNC_MOVES, SYNC_STATES],
] as const)("docs/states.md on %s", (_name, section, moves, states) => {
  test("draws exactly the moves of the code", () => {
    expect(drawn(section).moves.sort()).toEqual(coded(moves).sort());
  });

  test("draws an end where the code has no further move", () => {
    const final = Object.entries<readonly string[]>(moves).filter(([, to]) => to.length === 0);
    expect(drawn(section).final.sort()).toEqual(final.map(([state]) => state).sort());
  });

  test("has a paragraph for each state, in the code's order, that says who sets it", () => {
    expect(drawn(section).headings).toEqual([...states]);
    for (const paragraph of drawn(section).paragraphs) expect(paragraph.trim()).toMatch(/^Set by /);
  });
});

describe("files", () => {
  test("move only as the table says", () => {
    expect(mayMoveFile("staged", "claimed")).toBe(true);
    expect(mayMoveFile("aborted", "staged")).toBe(false);
    expect(mayMoveFile("stored", "loaded")).toBe(false);
  });

  test("can be claimed from every state that is open and not already somebody's", () => {
    const claimable = FILE_STATES.filter((state) => FILE_MOVES[state].includes("claimed"));
    expect(claimable).toEqual([...CLAIMABLE_FILE_STATES]);
  });

  test("keep their sync open while they can still end well: whatever may yet fail is open", () => {
    const mayFail = FILE_STATES.filter((state) => FILE_MOVES[state].includes("failed"));
    expect(mayFail).toEqual([...OPEN_FILE_STATES]);
  });

  test("have an account that adds up, or it is a bug", () => {
    const counts = { read: 9, loaded: 5, rejected: 3, skipped: 1, warnings: 7 };
    expect(checkAccount(counts)).toBe(counts);
    expect(() => checkAccount({ ...counts, read: 10 })).toThrow("does not add up");
  });

  test("that failed have loaded 0: their good rows count as skipped, and the account still adds up", () => {
    const failed = failedAccount({ read: 9, loaded: 5, rejected: 3, skipped: 1, warnings: 7 });
    expect(checkAccount(failed)).toEqual({ read: 9, loaded: 0, rejected: 3, skipped: 6, warnings: 7 });
  });
});

describe("syncs", () => {
  test("are closed where no move is left", () => {
    expect(SYNC_STATES.filter(isClosed)).toEqual(["finished", "failed", "expired", "cancelled", "superseded"]);
    expect(mayMoveSync("open", "finished")).toBe(false);
    expect(mayMoveSync("open", "ending")).toBe(true);
  });

  const facts = { loaded: 1, stored: 0, failed: 0, allowEmpty: false, onFileError: "publish", start: 5, liveStart: null } as const;

  test.each([
    ["one file loaded", {}, "swap"],
    ["one opaque file", { loaded: 0, stored: 1 }, "swap"],
    ["the live generation is an older sync's", { liveStart: 4 }, "swap"],
    ["some failed, publish", { failed: 3 }, "swap"],
    ["nothing, allowed", { loaded: 0, allowEmpty: true }, "swap"],
    ["nothing", { loaded: 0 }, "failed"],
    ["all failed", { loaded: 0, failed: 2 }, "failed"],
    ["some failed, keep_old", { failed: 1, onFileError: "keep_old" }, "failed"],
    ["none failed, keep_old", { onFileError: "keep_old" }, "swap"],
    ["a newer one is live", { liveStart: 6 }, "superseded"],
    ["a newer one is live, and all failed", { liveStart: 6, loaded: 0, failed: 1 }, "superseded"],
  ] as const)("full, %s: %j -> %s", (_name, change, expected) => {
    const plan = planFullSync({ ...facts, ...change });
    expect(plan.do === "swap" ? "swap" : plan.state).toBe(expected);
    if (plan.do === "keep_old") expect(plan.why).not.toBe("");
  });

  test.each([
    [{ total: 0, failed: 0 }, "finished"],
    [{ total: 2, failed: 1 }, "finished"],
    [{ total: 2, failed: 2 }, "failed"],
  ] as const)("incremental, %j -> %s", (counts, state) => {
    expect(planIncrementalSync(counts).state).toBe(state);
  });
});
