import { Fault } from "../../domain/fault.ts";

/** The system error's code, or null for anything else. */
export function codeOf(error: unknown): string | null {
  if (!(error instanceof Error) || !("code" in error) || !("syscall" in error)) return null;
  return typeof error.code === "string" ? error.code : null;
}

/** No such file, or a file where a folder was expected: both mean that no object has this key. */
export function isMissing(error: unknown): boolean {
  const code = codeOf(error);
  return code === "ENOENT" || code === "ENOTDIR";
}

/** A system error as the fault it is; what is no system error is a bug or another's error and stays as it is. */
export function diskFault(error: unknown, doing: string): unknown {
  const code = codeOf(error);
  if (code === null) return error;
  if (code === "ENOSPC" || code === "EDQUOT") return new Fault("disk_full", `no room left to ${doing} (${code})`, { cause: error });
  return new Fault("store_unavailable", `cannot ${doing} (${code})`, { cause: error });
}

/** The fault for a key that names no object. */
export function noObject(key: string): Fault {
  return new Fault("not_found", `there is no object ${key}`, { field: "key", value: key });
}
