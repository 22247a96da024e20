/** Statistics of small samples. All throw on an empty one. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The value below which this share of the sample lies, between two of them in proportion. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const low = sorted[Math.floor(at)];
  const high = sorted[Math.ceil(at)];
  if (low === undefined || high === undefined) throw new Error("a quantile of nothing was asked for");
  return low + (high - low) * (at - Math.floor(at));
}

export function spread(values: readonly number[]): string {
  return values.map((value) => value.toPrecision(3)).join(", ");
}
