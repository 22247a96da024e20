/** A seeded source of numbers in [0, 1): the same files in every run (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const CHANNELS = ["web", "app", "shop", "phone"];
const WORDS = "quick brown fox jumps over the lazy dog while seven wizards mix boxes of liquid".split(" ");
const HEADER = "order_id,placed_at,customer,quantity,unit_price,discount,paid,channel,country,note\n";
const FIRST_DAY = Date.UTC(2026, 0, 1);

/** Orders: integers, a timestamp, floats with gaps, a boolean, low-cardinality and free text, some of it quoted. */
export function csvOf(seed: number, bytes: number): Buffer {
  const random = randomOf(seed);
  const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)];
  const lines = [HEADER];
  for (let length = HEADER.length, id = seed * 1_000; length < bytes; id++) {
    const placed = new Date(FIRST_DAY + Math.floor(random() * 300 * 86_400_000)).toISOString().slice(0, 19);
    const words = Array.from({ length: 3 + Math.floor(random() * 4) }, () => pick(WORDS)).join(" ");
    const note = random() < 0.02 ? `"${words}, or ""so"""` : words;
    const discount = random() < 0.3 ? "" : (random() * 0.5).toFixed(3);
    const line = `${id},${placed}Z,c${Math.floor(random() * 5_000)},${1 + Math.floor(random() * 20)},${(random() * 200).toFixed(2)},${discount},${random() < 0.8},${pick(CHANNELS)},${pick(["VN", "DE", "US", "JP"])},${note}\n`;
    lines.push(line);
    length += line.length;
  }
  return Buffer.from(lines.join(""));
}
