/** More distinct values than this are never kept: ids stay within 16 bits. */
export const MOST_DISTINCT = 65_536;

/**
 * Whether a dictionary is worth going on with, asked when it has grown to `distinct` values out of `seen`. Giving up late costs
 * hashing for nothing, giving up early costs size and, because ids are much shorter to compress, time: so it is asked first at
 * 2,048 distinct values, then at 8,192 and 32,768, and what is asked is whether as many repetitions were seen as a column of
 * MOST_DISTINCT values, evenly drawn, would show by then (about distinct * distinct / (2 * MOST_DISTINCT)).
 */
export function keepsDictionary(distinct: number, seen: number): boolean {
  if (distinct === 2_048) return seen - distinct >= 32;
  if (distinct === 8_192) return seen - distinct >= 560;
  if (distinct === 32_768) return seen - distinct >= 12_600;
  return distinct < MOST_DISTINCT;
}

/** After a dictionary was given up, how many row groups go by before another is tried. */
export const REST_GROUPS = 7;

/** Whether a hash table of so many places should grow. */
export function isFull(distinct: number, places: number): boolean {
  return distinct * 10 > places * 7;
}

/** After a new value: whether there may be anything to do about the dictionary or its table. Cheap, asked for each. */
export function asksForReview(distinct: number, places: number): boolean {
  return isFull(distinct, places) || (distinct & 2_047) === 0;
}
