import { Fault, printable } from "../../domain/fault.ts";

/** Throws the fault of a file whose bytes contradict the Arrow format. */
export function unreadable(why: string): never {
  throw new Fault("unreadable", `no readable Arrow: ${printable(why, 300)}`);
}

/** Throws the fault of a file that goes beyond a limit, naming it. */
export function beyond(limit: string, message: string, value: number, most: number): never {
  throw new Fault("limit_exceeded", `${message} (limit ${limit})`, { field: limit, value, limit: most });
}
