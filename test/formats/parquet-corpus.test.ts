import { expect, test } from "vitest";
import { corpus } from "./corpus.ts";
import { scoreBadParquet, scoreParquet } from "./scores/parquet.ts";

const TIMEOUT_MS = 60_000;

const data = corpus("parquet-testing/data");
test.skipIf(data === null)(
  "every plain file of parquet-testing is read as pyarrow reads it, but for two damaged ones and a bomb",
  async () => {
    const score = await scoreParquet(data ?? "");
    expect(score.wrong).toEqual([]);
    expect(score.files).toBe(75);
    expect(score.refused.map((why) => why.split(":")[0])).toEqual(["large_string_map.brotli.parquet"]);
    expect(score.damaged).toHaveLength(2);
    expect(score.equal + score.alone.length).toBe(72);
  },
  TIMEOUT_MS,
);

const badData = corpus("parquet-testing/bad_data");
test.skipIf(badData === null)("every bad file of parquet-testing is refused", async () => {
  expect(await scoreBadParquet(badData ?? "")).toEqual({ files: 8, accepted: [] });
});
