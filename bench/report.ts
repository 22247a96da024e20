import type { Result } from "./row.ts";

/** Where and when the results were made. */
export interface Machine {
  readonly commit: string;
  readonly node: string;
  readonly cores: number;
  readonly cpu: string;
  readonly memoryGiB: number;
  readonly os: string;
  readonly load: string;
  readonly date: string;
}

const HEAD = ["", "what", "ours", "peer", "ratio", "must", "aim", "unit"] as const;

/** The table for a terminal. */
export function textTable(results: readonly Result[]): string {
  const lines = [HEAD, ...results.map(cells)];
  const widths = HEAD.map((_, i) => Math.max(...lines.map((line) => (line[i] ?? "").length)));
  return lines
    .map((line) =>
      line
        .map((cell, i) => (i === 1 || i === 7 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** bench/RESULTS.md. */
export function markdown(results: readonly Result[], machine: Machine): string {
  const met = results.filter((result) => result.met === true).length;
  const judged = results.filter((result) => result.met !== null).length;
  return [
    "# Results of `npm run bench`",
    "",
    `${met} of ${judged} targets met. \`must\` and \`aim\` are about the ratio where there is a peer, else about our own figure; a row without them is`,
    "printed and not judged. Machines like this one are noisy: only a peer that ran beside it in the same run makes a figure comparable.",
    "",
    `- commit ${machine.commit}, Node ${machine.node}, ${machine.date}`,
    `- ${machine.cores} cores (${machine.cpu}), ${machine.memoryGiB} GiB of memory, ${machine.os}`,
    `- load average before the run: ${machine.load}`,
    "",
    `| ${HEAD.join(" | ")} | commit |`,
    `|${"---|".repeat(HEAD.length + 1)}`,
    ...results.map((result) => `| ${[...cells(result).map(escaped), result.commit].join(" | ")} |`),
    "",
  ].join("\n");
}

function cells(result: Result): string[] {
  const { name, ours, peer, ratio, must, aim, unit } = result;
  return [verdict(result), name, figure(ours), figure(peer), figure(ratio), figure(must), figure(aim), unit];
}

function verdict(result: Result): string {
  if (result.met === null) return result.ours === null ? "failed" : "";
  if (result.met) return "met";
  return result.ours === null ? "FAILED" : "MISSED";
}

function figure(value: number | null): string {
  if (value === null) return "–";
  return Math.abs(value) >= 1000 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}

function escaped(cell: string): string {
  return cell.replaceAll("|", "\\|");
}

/** Results of this run in the rows' order; rows that were not run keep what they had. */
export function merged(former: readonly Result[], fresh: readonly Result[], names: readonly string[]): Result[] {
  const of = new Map([...former, ...fresh].map((result) => [result.name, result]));
  return names.flatMap((name) => of.get(name) ?? []);
}
