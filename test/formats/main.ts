/**
 * npm run formats: the grid of formats and compressions, then what we score on the public corpora beside what must be
 * reached. Ends with 1 when a cell is not read or a score is below its must.
 */
import { parseArgs } from "node:util";
import { BOMBS, judgeBomb } from "./bombs.ts";
import { corpus } from "./corpus.ts";
import { GRID_COMPRESSIONS, GRID_FORMATS, wrongInCell } from "./grid.ts";
import { openSandbox } from "./sandbox-kit.ts";
import { scoreArrow } from "./scores/arrow.ts";
import { scoreSpectrum } from "./scores/csv-spectrum.ts";
import { scoreJson } from "./scores/json.ts";
import { scoreMalformed } from "./scores/malformed.ts";
import { scoreOrc } from "./scores/orc.ts";
import { scoreBadParquet, scoreParquet } from "./scores/parquet.ts";
import { scoreZips } from "./scores/yauzl-zips.ts";

const { values } = parseArgs({ options: { only: { type: "string", default: "" } } });

/** What a score came to, and whether that is enough. */
interface Scored {
  readonly got: string;
  readonly reached: boolean;
  /** Named one by one beneath the row. */
  readonly notes: readonly string[];
}

interface Score {
  readonly name: string;
  readonly folder: string;
  readonly must: string;
  readonly peer: string;
  run(folder: string): Promise<Scored>;
}

const SCORES: readonly Score[] = [
  {
    name: "csv-spectrum",
    folder: "csv-spectrum",
    must: "11 of 12",
    peer: "11 (one is broken upstream)",
    run: async (folder) => {
      const { files, equal, wrong } = await scoreSpectrum(folder);
      return { got: `${equal} of ${files}`, reached: equal >= 11, notes: wrong };
    },
  },
  {
    name: "JSONTestSuite, to be taken",
    folder: "json-test-suite",
    must: "95 of 95",
    peer: "JSON.parse: 95",
    run: async (folder) => {
      const { taken } = await scoreJson(folder);
      return {
        got: `${taken.of - taken.wrong.length} of ${taken.of}`,
        reached: taken.of === 95 && taken.wrong.length === 0,
        notes: taken.wrong,
      };
    },
  },
  {
    name: "JSONTestSuite, to be refused",
    folder: "json-test-suite",
    must: "188 of 188",
    peer: "JSON.parse: 188",
    run: async (folder) => {
      const { refused } = await scoreJson(folder);
      const { of, wrong } = refused;
      return { got: `${of - wrong.length} of ${of}`, reached: of === 188 && wrong.length === 0, notes: wrong };
    },
  },
  {
    name: "orc examples, read",
    folder: "orc-examples",
    must: "40 of 42",
    peer: "pyarrow 40",
    run: async (folder) => orcScore(folder, "read", 40),
  },
  {
    name: "orc examples, corrupt ones refused",
    folder: "orc-examples",
    must: "all",
    peer: "-",
    run: async (folder) => orcScore(folder, "refuse", 5),
  },
  {
    name: "parquet-testing data",
    folder: "parquet-testing/data",
    must: "73 of 75",
    peer: "pyarrow 73, parquet-wasm 72",
    run: async (folder) => {
      const { files, equal, alone, damaged, refused, wrong } = await scoreParquet(folder);
      // Two files are made with a page that does not agree with its checksum: to refuse them is to read them right.
      const right = equal + alone.length + damaged.length;
      const notes = [...wrong, ...refused, ...damaged.map((name) => `${name}: refused for its checksum, counted as right`)];
      return { got: `${right} of ${files}`, reached: right >= 73 && wrong.length === 0, notes };
    },
  },
  {
    name: "parquet-testing bad_data refused",
    folder: "parquet-testing/bad_data",
    must: "8 of 8",
    peer: "pyarrow 7",
    run: async (folder) => {
      const { files, accepted } = await scoreBadParquet(folder);
      return { got: `${files - accepted.length} of ${files}`, reached: files === 8 && accepted.length === 0, notes: accepted };
    },
  },
  {
    name: "arrow golden files",
    folder: "arrow-testing/data/arrow-ipc-stream/integration",
    must: "166 of 182, 0 wrong",
    peer: "pyarrow 166",
    run: async (folder) => {
      const { files, equal, refused, wrong } = await scoreArrow(folder);
      return {
        got: `${equal} of ${files}, ${wrong.length} wrong`,
        reached: equal >= 166 && wrong.length === 0,
        notes: [...wrong, ...refused],
      };
    },
  },
  {
    name: "yauzl's malformed zips refused",
    folder: "yauzl-zips",
    must: "24 of 24",
    peer: "yauzl 24",
    run: async (folder) => {
      const { malformed, good } = await scoreZips(folder);
      const read = [...malformed].filter(([, result]) => result.startsWith("read "));
      const notes = [...read, ...[...good].filter(([, result]) => !result.startsWith("read "))].map(
        ([name, result]) => `${name}: ${result}`,
      );
      return { got: `${malformed.size - read.length} of ${malformed.size}`, reached: malformed.size === 24 && read.length === 0, notes };
    },
  },
  {
    name: "malformed Arrow and Parquet in a sandbox",
    folder: "",
    must: "0 deaths, 0 over 10 s, accepted <= 12",
    peer: "pyarrow 0, 0, 12 of 280",
    run: async (folder) => {
      const { files, accepted, deaths, hangs, slowestMs } = await scoreMalformed(folder);
      const got = `${deaths.length} deaths, ${hangs.length} over 10 s (${(slowestMs / 1_000).toFixed(1)} s at most), ${accepted.length} of ${files} accepted`;
      return { got, reached: deaths.length + hangs.length === 0 && accepted.length <= 12, notes: [...deaths, ...hangs, ...accepted] };
    },
  },
];

/** Bombs need no corpus. Judged by CPU time: the clock is printed too, but a machine with other work stretches it. */
async function printBombs(): Promise<boolean> {
  let refused = 0;
  let slowestMs = 0;
  let mostCpuMs = 0;
  let grownBytes = 0;
  for (const bomb of BOMBS) {
    // Each has a sandbox of its own: memory that one has taken is no growth for the next.
    await using sandbox = await openSandbox();
    const { wrong, ms, cpuMs, grownBytes: grown } = await judgeBomb(bomb, sandbox.pool);
    if (wrong === null) refused++;
    else console.log(`  ${bomb.what}: ${wrong}`);
    slowestMs = Math.max(slowestMs, ms);
    mostCpuMs = Math.max(mostCpuMs, cpuMs);
    grownBytes = Math.max(grownBytes, grown);
  }
  const reached = refused === BOMBS.length && mostCpuMs < 2_000 && grownBytes < 100e6;
  const seconds = (time: number) => (time / 1_000).toFixed(2);
  const facts = `${refused} of ${BOMBS.length}, ${seconds(mostCpuMs)} s of CPU time (${seconds(slowestMs)} s by the clock) and ${Math.round(grownBytes / 1e6)} MB at most`;
  console.log(`\nbombs refused by a named limit (must: all, < 2 s, < 100 MB more memory): ${facts}${reached ? "" : "   BELOW ITS MUST"}`);
  return reached;
}

async function orcScore(folder: string, must: "read" | "refuse", least: number): Promise<Scored> {
  const results = (await scoreOrc(folder)).filter((result) => result.must === must);
  const wrong = results.filter((result) => result.wrong !== null);
  const right = results.length - wrong.length;
  return {
    got: `${right} of ${results.length}`,
    reached: right >= least,
    notes: wrong.map(({ file, wrong }) => `${file}: ${wrong ?? ""}`),
  };
}

async function printGrid(): Promise<boolean> {
  const notes: string[] = [];
  console.log(`\n${"format".padEnd(14)}${GRID_COMPRESSIONS.map((name) => name.padStart(7)).join("")}`);
  for (const format of GRID_FORMATS) {
    const cells: string[] = [];
    for (const compression of GRID_COMPRESSIONS) {
      const wrong = await wrongInCell(format, compression);
      cells.push(wrong === null ? "ok" : "NO");
      if (wrong !== null) notes.push(`${format} x ${compression}: ${wrong}`);
    }
    console.log(`${format.padEnd(14)}${cells.map((cell) => cell.padStart(7)).join("")}`);
  }
  for (const note of notes) console.log(`  ${note}`);
  return notes.length === 0;
}

/** A score whose files break a reader: the other scores are printed all the same. */
function threw(error: unknown): Scored {
  const words = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { got: "THREW", reached: false, notes: words.split("\n").slice(0, 4) };
}

async function printScores(scores: readonly Score[]): Promise<boolean> {
  let reached = true;
  console.log(`\n${"corpus".padEnd(42)}${"must".padEnd(40)}${"best peer".padEnd(30)}ours`);
  for (const score of scores) {
    const folder = corpus(score.folder);
    const line = `${score.name.padEnd(42)}${score.must.padEnd(40)}${score.peer.padEnd(30)}`;
    if (folder === null) {
      console.log(`${line}NOT REACHED`);
      continue;
    }
    const scored = await score.run(folder).catch(threw);
    console.log(`${line}${scored.got}${scored.reached ? "" : "   BELOW ITS MUST"}`);
    for (const note of scored.notes) console.log(`  ${note.replaceAll(folder, "").slice(0, 200)}`);
    reached &&= scored.reached;
  }
  return reached;
}

const chosen = SCORES.filter(({ name }) => name.includes(values.only));
const whole = values.only === "" ? await printGrid() : true;
const reached = await printScores(chosen);
const bombs = values.only === "" || "bombs".includes(values.only) ? await printBombs() : true;
process.exitCode = whole && reached && bombs ? 0 : 1;
