import { expect, test } from "vitest";
import { corpus } from "./corpus.ts";
import { scoreFuzz } from "./scores/fuzz.ts";

const TIMEOUT_MS = 120_000;

const corpora = corpus(".");
test.skipIf(corpora === null)(
  "of 280 malformed Arrow and Parquet files none ends its sandbox or takes 10 s, and at most 12 are accepted",
  async () => {
    const score = await scoreFuzz(corpora ?? "");
    expect(score).toMatchObject({ files: 280, deaths: [], slow: [] });
    expect(score.accepted.length).toBeLessThanOrEqual(12);
  },
  TIMEOUT_MS,
);
