import type { OrcType } from "./schema.ts";
import type { Stripe } from "./stripe.ts";
import { TimeZone } from "./time-zone.ts";
import { TimeBase } from "./timestamps.ts";

/** The clocks of a file's stripes: most have one and the same. */
export class Zones {
  readonly #bases = new Map<string, TimeBase>();

  base(type: OrcType, stripe: Stripe): TimeBase {
    const name = type.kind === "timestamp_instant" ? "" : stripe.timezone;
    const known = this.#bases.get(name);
    if (known) return known;
    if (this.#bases.size >= 1_000) this.#bases.clear();
    const base = new TimeBase(new TimeZone(name), stripe.julian);
    this.#bases.set(name, base);
    return base;
  }
}
