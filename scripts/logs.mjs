// What the services write: whole into files of bounded size, what matters onto the console in readable form.
import { closeSync, fstatSync, mkdirSync, openSync, renameSync, writeSync } from "node:fs";
import { dirname } from "node:path";

const MAX_BYTES = 16 * 1024 * 1024;
const KEPT = 3;
const WARN = 40;
const LEVELS = new Map([
  [40, "WARN"],
  [50, "ERROR"],
  [60, "FATAL"],
]);

/** Calls back for every line of a stream of text, the last one too. */
export function splitLines(stream, onLine) {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (chunk) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop();
    for (const line of lines) onLine(line);
  });
  stream.on("end", () => {
    if (rest !== "") onLine(rest);
  });
}

/** A file that lines are appended to; full, it becomes `.1`, that `.2`, and so on. A full disk loses lines, not the service. */
export function logFile(path) {
  mkdirSync(dirname(path), { recursive: true });
  let fd = null;
  let bytes = 0;
  const open = () => {
    fd = openSync(path, "a", 0o640);
    bytes = fstatSync(fd).size;
  };
  const rotate = () => {
    closeSync(fd);
    for (let n = KEPT; n > 0; n--) {
      try {
        renameSync(n === 1 ? path : `${path}.${n - 1}`, `${path}.${n}`);
      } catch (error) {
        if (error.code !== "ENOENT") throw error;
      }
    }
    open();
  };
  return (line) => {
    try {
      if (fd === null) open();
      if (bytes > MAX_BYTES) rotate();
      bytes += writeSync(fd, `${line}\n`);
    } catch {
      // nowhere to say it that would be better
    }
  };
}

/**
 * One line of a service for the console, or null if it is not for there: warnings and errors of pino's JSON,
 * and whatever came on stderr without being JSON (a crash of Node itself).
 */
export function readable(name, line, fromStderr) {
  let record;
  try {
    record = JSON.parse(line);
  } catch {
    return fromStderr && line.trim() !== "" ? `${name}: ${line}` : null;
  }
  if (typeof record !== "object" || record === null || !(record.level >= WARN)) return null;
  const { level, time, msg, err, pid: _pid, hostname: _hostname, name: _name, v: _v, ...rest } = record;
  const cause = err?.message !== undefined && err.message !== msg ? ` (${err.message})` : "";
  const facts = Object.entries(rest)
    .filter(([, value]) => typeof value !== "object" || value === null)
    .map(([key, value]) => ` ${key}=${value}`)
    .join("");
  const stack = level >= 60 && err?.stack ? `\n${err.stack}` : "";
  return `${clock(time)} ${name} ${LEVELS.get(level) ?? level}: ${msg ?? err?.message ?? ""}${cause}${facts}${stack}`;
}

function clock(time) {
  const date = new Date(time ?? Date.now());
  return Number.isNaN(date.getTime()) ? "" : date.toTimeString().slice(0, 8);
}

/** Drops what comes faster than `perSecond` lines and says how many that were: an outage is not to scroll everything away. */
export function throttled(print, perSecond = 20) {
  let second = 0;
  let printed = 0;
  let dropped = 0;
  return (line) => {
    const now = Math.floor(Date.now() / 1000);
    if (now !== second) {
      if (dropped > 0) print(`… and ${dropped} more lines; the log files have them all`);
      [second, printed, dropped] = [now, 0, 0];
    }
    if (printed++ < perSecond) print(line);
    else dropped++;
  };
}
