import { expect, test } from "vitest";
import { corpus } from "./corpus.ts";
import { scoreSpectrum } from "./scores/csv-spectrum.ts";
import { scoreMalformed } from "./scores/malformed.ts";

const spectrum = corpus("csv-spectrum");
test.skipIf(spectrum === null)("every csv of csv-spectrum is read as its JSON says, but for the one that is broken upstream", async () => {
  const { files, wrong } = await scoreSpectrum(spectrum ?? "");
  expect(files).toBe(12);
  expect(wrong.map((words) => words.split(":")[0])).toEqual(["location_coordinates.csv"]);
});

const corpora = corpus("arrow-testing") !== null && corpus("parquet-testing") !== null ? corpus("") : null;
test.skipIf(corpora === null)(
  "280 malformed Arrow and Parquet files kill no sandbox, hold none up for ten seconds, and at most 12 are accepted",
  async () => {
    const { files, deaths, hangs, accepted } = await scoreMalformed(corpora ?? "");
    expect(files).toBe(280);
    expect(deaths).toEqual([]);
    expect(hangs).toEqual([]);
    expect(accepted.length).toBeLessThanOrEqual(12);
  },
  120_000,
);
