/** The bits end before the block does. */
export class BzipEnd extends Error {}

/**
 * The bits of a bzip2 stream, most significant first, over bytes in memory. The fields are open to the one loop that decodes
 * symbols, which keeps them in local variables: `have` bits, the low ones of `hold`, were read and not yet taken.
 */
export class BzipBits {
  bytes: Uint8Array = new Uint8Array(0);
  at = 0;
  hold = 0;
  have = 0;

  /** Whole or begun bytes taken so far of `bytes`. */
  get used(): number {
    return this.at - (this.have >> 3);
  }

  /** Goes on in `bytes`, whose first byte is the one at `used` of the bytes before. */
  moveTo(bytes: Uint8Array): void {
    const within = this.have & 7;
    this.hold >>>= this.have - within;
    this.have = within;
    this.bytes = bytes;
    this.at = 0;
  }

  /** Where the bits stand at the start of the bytes they were moved to, for `reset`. */
  mark(): { hold: number; have: number } {
    return { hold: this.hold, have: this.have };
  }

  /** Goes back to a mark, before they are moved again. */
  reset(mark: { hold: number; have: number }): void {
    this.at = 0;
    this.hold = mark.hold;
    this.have = mark.have;
  }

  /** The next `count` bits, at most 24. Throws `BzipEnd` where they end. */
  take(count: number): number {
    while (this.have < count) {
      if (this.at >= this.bytes.length) throw new BzipEnd("the bits end");
      this.hold = (this.hold << 8) | this.bytes[this.at++]!;
      this.have += 8;
    }
    this.have -= count;
    return (this.hold >>> this.have) & ((1 << count) - 1);
  }

  /** The next 32 bits. */
  takeWord(): number {
    return ((this.take(16) << 16) | this.take(16)) >>> 0;
  }

  /** Leaves out what is left of a begun byte. */
  align(): void {
    this.have &= ~7;
  }
}
