import { expect, test } from "vitest";
import { ConfigError, parseSize, readConfig, SETTINGS } from "./config.ts";

const ENOUGH = { DATABASE_URL: "postgres://u:secretpw@h/d", STORAGE_URL: "file:///tmp/x" };

test("every problem is reported at once, and no secret is shown", () => {
  const bad = {
    DATABASE_URL: "mysql://u:secretpw@h/d",
    PORT: "x",
    SLUICE_API_KEY: "tooshort",
    SLUICE_MAX_UPLOAD: "5 pounds",
    LOG_LEVEL: "loud",
    SLUICE_OPEN_UPLOADS: "yes",
  };
  try {
    readConfig(bad, ["another problem"]);
    expect.unreachable();
  } catch (error) {
    const { problems, message } = error as ConfigError;
    expect(problems.map((problem) => problem.split(" ")[0])).toEqual([
      "DATABASE_URL",
      "STORAGE_URL",
      "PORT",
      "SLUICE_API_KEY",
      "SLUICE_MAX_UPLOAD",
      "SLUICE_OPEN_UPLOADS",
      "LOG_LEVEL",
      "another",
    ]);
    expect(message).not.toMatch(/secretpw|tooshort/);
  }
});

test("an empty variable counts as not set", () => {
  expect(readConfig({ ...ENOUGH, REDIS_URL: "", PORT: "", SLUICE_RAW_DAYS: "" })).toMatchObject({
    redisUrl: null,
    port: 8_080,
    rawDays: null,
    maxUploadBytes: 5 * 2 ** 30,
  });
});

test("sizes take powers of 1,000 and of 1,024, or bytes", () => {
  expect(["500MB", "2GiB", "1048576", "1.5 kib", "1TB"].map(parseSize)).toEqual([5e8, 2 ** 31, 1_048_576, 1_536, 1e12]);
  expect(["", "-1", "1e9", "5XB", "99999999TiB"].map(parseSize)).toEqual([null, null, null, null, null]);
});

test("each setting is in the table once", () => {
  const names = SETTINGS.map((setting) => setting.name);
  expect(new Set(names).size).toBe(names.length);
});
