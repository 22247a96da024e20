import { describe, expect, test } from "vitest";
import { parentPaths, parseFileName, parsePath, subPath, tooManyRejects } from "./dataset.ts";
import { Fault } from "./fault.ts";

function refusal(work: () => unknown): Fault {
  try {
    work();
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
  throw new Error("it was taken");
}

describe("lake paths", () => {
  test.each([
    ["/a", "/a"],
    ["/a/b c/ü.csv", "/a/b c/ü.csv"],
    ["/a/", "/a"],
    ["/a/u\u0308", "/a/ü"],
    ["/..a/b..", "/..a/b.."],
    ["/100%", "/100%"],
    ["/%41", "/%41"],
    [`/${"s".repeat(200)}`, `/${"s".repeat(200)}`],
    [`/${"s".repeat(200)}/${"t".repeat(200)}/${"u".repeat(109)}`, `/${"s".repeat(200)}/${"t".repeat(200)}/${"u".repeat(109)}`],
  ])("%j is taken as %j", (given, path) => {
    expect(parsePath(given)).toBe(path);
    expect(parsePath(path)).toBe(path);
  });

  test.each([
    ["", "empty"],
    ["a/b", "begin with /"],
    ["/", "folder below /"],
    ["//", "folder below /"],
    ["/a//b", "empty segment"],
    ["/a/../b", ". or .."],
    ["/./a", ". or .."],
    ["/a/..", ". or .."],
    ["/a\u0000b", "control"],
    ["/a\nb", "control"],
    ["/a\u007f", "control"],
    ["/a\u202eb", "direction"],
    ["/a\u2066b", "direction"],
    ["/a\u200bb", "invisible"],
    ["/\ufeffa", "invisible"],
    ["/a\ud800", "well-formed"],
    ["/%2e%2e/a", "percent-encoded"],
    ["/a%2Fb", "percent-encoded"],
    ["/a%5cb", "percent-encoded"],
    ["/a%00", "percent-encoded"],
    ["/a\\b", "not \\"],
    ["/C:/a", "drive letter"],
    ["/a/c:x", "drive letter"],
    ["/ a", "space"],
    ["/a /b", "space"],
    ["/a/gen-12/b", "gen-12"],
    ["/a/current.json", "current.json"],
    ["/pages", "pages"],
    [`/${"s".repeat(201)}`, "longer than 200"],
    [`/${"ü".repeat(101)}`, "longer than 200"],
    [`/${`${"s".repeat(102)}/`.repeat(5)}`, "at most 512"],
  ])("%j is refused: %s", (given, rule) => {
    const fault = refusal(() => parsePath(given, "where"));
    expect(fault.code).toBe("invalid_path");
    expect(fault.message).toContain(rule);
    expect(fault.message.startsWith("where: ")).toBe(true);
    expect(fault.detail.field).toBe("where");
  });

  test("a sub-path is what lies beneath, by whole segments", () => {
    expect(subPath("/a/b", "/a/b")).toBe("");
    expect(subPath("/a/b", "/a/b/c/d")).toBe("c/d");
    expect(subPath("/a/b", "/a/bc")).toBeNull();
    expect(subPath("/a/b", "/a")).toBeNull();
  });

  test("the parents of a path are all the paths that contain it", () => {
    expect(parentPaths("/a/b/c")).toEqual(["/a", "/a/b"]);
    expect(parentPaths("/a")).toEqual([]);
  });
});

describe("file names", () => {
  test.each([
    ["a.csv", "a.csv"],
    ["C:\\Users\\me\\a.csv", "a.csv"],
    ["../../etc/passwd", "passwd"],
    ["u\u0308.csv", "ü.csv"],
    ["n".repeat(1_024), "n".repeat(1_024)],
  ])("of %j %j is kept", (given, name) => {
    expect(parseFileName(given)).toBe(name);
  });

  test.each(["", "a/", "..", ".", "a\u0000.csv", "a\u202e.csv", "\ud800", "n".repeat(1_025)])("%j is refused", (given) => {
    expect(refusal(() => parseFileName(given)).code).toBe("invalid_field");
  });
});

test("too many rejects are more than the share of the rows read, or more than the count", () => {
  expect(tooManyRejects({ share: 0.1 }, 10, 100)).toBe(false);
  expect(tooManyRejects({ share: 0.1 }, 11, 100)).toBe(true);
  expect(tooManyRejects({ share: 0 }, 1, 100)).toBe(true);
  expect(tooManyRejects({ rows: 0 }, 0, 100)).toBe(false);
  expect(tooManyRejects({ rows: 3 }, 4, 1_000_000)).toBe(true);
});
