import { closeSync, openSync, writeSync } from "node:fs";
import { randomOf } from "../csv.ts";

/** Seeded files to convert: the same bytes in every run. `bytes` is about how large a file becomes. */
export type DataName = "taxi" | "wide" | "text" | "sparse" | "small" | "ndjson";

interface Shape {
  readonly header: string | null;
  readonly line: (random: () => number, row: number) => string;
}

const WORDS =
  "ahead amber arrow basin birch bloom brick cabin candle canyon carbon cedar cliff cobalt copper coral crater delta drift ember fable fern field flint frost garden glacier grain grove harbor hazel heron indigo island jade juniper kestrel lagoon lantern larch ledge lilac linen maple marble meadow mesa mint moss nectar north oak ocean olive onyx opal orchid otter pearl pebble pine plain plum pond poppy prairie quartz quill raven reed ridge river robin rose rowan ruby saffron sage sand sierra silver slate spruce stone storm summit sunset teal thistle timber topaz tundra valley velvet violet walnut willow winter".split(
    " ",
  );

const words = (random: () => number, count: number) =>
  Array.from({ length: count }, () => WORDS[Math.floor(random() * WORDS.length)]).join(" ");
const whole = (random: () => number, below: number) => Math.floor(random() * below);
const stamp = (ms: number) => new Date(ms).toISOString().slice(0, 19).replace("T", " ");
const FIRST_DAY = Date.UTC(2026, 0, 1);

/** One trip: what a row of `taxi` and a line of `ndjson` are made of. */
function trip(random: () => number, row: number) {
  const pickedUp = FIRST_DAY + row * 2_600 + whole(random, 60_000);
  const distance = Math.exp(random() * 3.4) / 2;
  const fare = 3 + distance * 2.5 + random() * 2;
  const tip = random() < 0.4 ? 0 : fare * random() * 0.3;
  const tolls = random() < 0.93 ? 0 : 6.55;
  return {
    vendor: 1 + whole(random, 2),
    picked_up_at: stamp(pickedUp),
    dropped_off_at: stamp(pickedUp + 120_000 + whole(random, 2_400_000)),
    passengers: random() < 0.05 ? null : 1 + whole(random, 6),
    distance: distance.toFixed(2),
    rate_code: random() < 0.95 ? 1 : 1 + whole(random, 6),
    stored: random() < 0.99 ? "N" : "Y",
    from_zone: 1 + whole(random, 265),
    to_zone: 1 + whole(random, 265),
    payment: ["card", "cash", "dispute", "no charge"][Math.floor(random() ** 2 * 4)] ?? "card",
    fare: fare.toFixed(2),
    tip: tip.toFixed(2),
    tolls: tolls.toFixed(2),
    total: (fare + tip + tolls + 0.5).toFixed(2),
    driver: `d${String(whole(random, 40_000)).padStart(6, "0")}`,
    note: words(random, 1 + whole(random, 4)),
  };
}

const TRIP_COLUMNS = Object.keys(trip(randomOf(0), 0));

const SHAPES: Readonly<Record<Exclude<DataName, "small">, Shape>> = {
  // 16 columns, about 125 bytes a row: integers, decimals, timestamps, low-cardinality and free text, 2 % of the cells of one column quoted.
  taxi: {
    header: TRIP_COLUMNS.join(","),
    line: (random, row) => {
      const { note, ...rest } = trip(random, row);
      return `${Object.values(rest)
        .map((value) => value ?? "")
        .join(",")},${random() < 0.3 ? `"${note}, ""${row % 10}"""` : note}`;
    },
  },
  // 200 short columns: half small integers, a quarter amounts, the rest flags and codes.
  wide: {
    header: Array.from({ length: 200 }, (_, i) => `c${i}`).join(","),
    line: (random) =>
      Array.from({ length: 200 }, (_, i) => {
        if (i % 4 < 2) return whole(random, i % 8 < 2 ? 100 : 10_000);
        if (i % 4 === 2) return (random() * 100).toFixed(2);
        return i % 8 < 4 ? ["A", "B", "C", "D"][whole(random, 4)] : `k${whole(random, 500)}`;
      }).join(","),
  },
  // Five columns of about 200 bytes, four of five cells quoted.
  text: {
    header: "a,b,c,d,e",
    line: (random) =>
      Array.from({ length: 5 }, () => {
        const text = words(random, 30);
        return random() < 0.8 ? `"${text}${random() < 0.05 ? ', ""so""' : ", so"}"` : text;
      }).join(","),
  },
  // 40 columns, nine of ten cells empty.
  sparse: {
    header: `id,${Array.from({ length: 39 }, (_, i) => `s${i}`).join(",")}`,
    line: (random, row) =>
      `${row},${Array.from({ length: 39 }, (_, i) => {
        if (random() < 0.9) return "";
        return i % 3 === 0 ? whole(random, 1_000_000) : i % 3 === 1 ? (random() * 1e4).toFixed(3) : words(random, 2);
      }).join(",")}`,
  },
  // The same trips, one JSON object a line.
  ndjson: {
    header: null,
    line: (random, row) => {
      const { distance, fare, tip, tolls, total, ...rest } = trip(random, row);
      const numbers = `"distance":${Number(distance)},"fare":${Number(fare)},"tip":${Number(tip)},"tolls":${Number(tolls)},"total":${Number(total)}`;
      return `${JSON.stringify(rest).slice(0, -1)},${numbers}}`;
    },
  },
};

/** Writes a file of about `bytes`; what it really has. */
export function writeData(name: Exclude<DataName, "small">, path: string, bytes: number, seed = 1): { bytes: number; rows: number } {
  const random = randomOf(seed);
  const { header, line } = SHAPES[name];
  const file = openSync(path, "w");
  let written = header === null ? 0 : writeSync(file, `${header}\n`);
  let rows = 0;
  try {
    while (written < bytes) {
      const lines: string[] = [];
      let length = 0;
      while (length < 1 << 20 && written + length < bytes) {
        const next = line(random, rows++);
        lines.push(next);
        length += next.length + 1;
      }
      written += writeSync(file, `${lines.join("\n")}\n`);
    }
  } finally {
    closeSync(file);
  }
  return { bytes: written, rows };
}
