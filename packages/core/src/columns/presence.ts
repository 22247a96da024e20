/** One byte a row, 1 where there is a value, kept only once there is a null. Grows with its rows. */
export class Presence {
  rows = 0;
  nulls = 0;
  #bytes = new Uint8Array(0);

  /** For a chunk: null while no row is null. */
  get bytes(): Uint8Array | null {
    return this.nulls === 0 ? null : this.#bytes;
  }

  /** Takes rows from an Arrow validity bitmap with `nulls` zeros among them; null: every row has a value, or none has. */
  append(validity: Uint8Array | null, rows: number, nulls: number): void {
    const from = this.rows;
    const first = this.nulls === 0;
    this.rows += rows;
    this.nulls += nulls;
    if (this.nulls === 0) return;
    if (this.#bytes.length < this.rows) {
      const grown = new Uint8Array(Math.max(this.rows, from * 2));
      grown.set(this.#bytes.subarray(0, from));
      this.#bytes = grown;
    }
    const bytes = this.#bytes;
    if (first) bytes.fill(1, 0, from);
    if (nulls === 0) bytes.fill(1, from, this.rows);
    else if (nulls === rows || validity === null) bytes.fill(0, from, this.rows);
    else for (let i = 0; i < rows; i++) bytes[from + i] = (validity[i >> 3]! >> (i & 7)) & 1;
  }

  clear(): void {
    this.rows = 0;
    this.nulls = 0;
  }
}
