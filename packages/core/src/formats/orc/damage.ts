import { Fault } from "../../domain/fault.ts";

/** What is wrong with the bytes of an ORC file, as the fault that refuses it. */
export function damaged(why: string): Fault {
  return new Fault("unreadable", `no readable ORC: ${why}`);
}

/** A bound that a file asks to go beyond. The message names the limit: one of a conversion's, or one of this reader's, which are fixed. */
export function beyond(what: string, field: string, value: number, limit: number): Fault {
  return new Fault("limit_exceeded", `${what}: ${value}, at most ${limit} (limit ${field}${field.startsWith("orc") ? ", fixed" : ""})`, {
    field,
    value,
    limit,
  });
}
