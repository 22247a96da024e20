import { readdirSync, readFileSync, writeFileSync } from "node:fs";

/** Kernel ticks a second (sysconf(_SC_CLK_TCK)): 100 on every Linux there is. */
const TICKS = 100;

interface Stat {
  readonly pid: number;
  readonly parent: number;
  /** Its own, and that of children which ended and were waited for. */
  readonly own: number;
  readonly ended: number;
}

/** proc(5): after the name in brackets, state is field 3, ppid 4, utime 14, stime 15, cutime 16, cstime 17. */
function statOf(pid: number): Stat | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    const seconds = (from: number) => (Number(fields[from]) + Number(fields[from + 1])) / TICKS;
    return { pid, parent: Number(fields[1]), own: seconds(11), ended: seconds(13) };
  } catch {
    return null;
  }
}

/** CPU-seconds so far of these processes, and of all their descendants, those that have ended included. */
export function cpuSeconds(roots: readonly number[]): { readonly own: number; readonly below: number } {
  const stats = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => statOf(Number(name)) ?? []);
  const counted = new Set(roots);
  // Parents are found before children whatever their pids, once nothing more is added.
  for (let size = -1; size !== counted.size;) {
    size = counted.size;
    for (const { pid, parent } of stats) if (counted.has(parent)) counted.add(pid);
  }
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const own = sum(stats.filter(({ pid }) => roots.includes(pid)).map((stat) => stat.own));
  const all = sum(stats.filter(({ pid }) => counted.has(pid)).map((stat) => stat.own + stat.ended));
  return { own, below: all - own };
}

/** A line of /proc/<pid>/status in bytes: `VmRSS`, `VmHWM`. */
export function memoryOf(pid: number, line: "VmRSS" | "VmHWM"): number {
  const text = readFileSync(`/proc/${pid}/status`, "latin1");
  return Number(new RegExp(`^${line}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? Number.NaN) * 1_024;
}

/** Begins the peak (VmHWM) anew at what is resident now (proc(5), clear_refs). */
export function resetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
}

export function environmentOf(pid: number): Record<string, string> {
  const entries = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").filter(Boolean);
  return Object.fromEntries(entries.map((entry) => [entry.slice(0, entry.indexOf("=")), entry.slice(entry.indexOf("=") + 1)]));
}
