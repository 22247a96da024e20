const TOKEN =
  /(?<string>"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|(?<scalar>-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)|(?<mark>[{}[\],:])/y;
const SPACE = /[ \t\r\n]*/y;

/** What may stand next: a value, a value or the list's end, a name or the object's end, a name, a colon, a comma or an end. */
type Next = "value" | "first item" | "first name" | "name" | "colon" | "more";

/**
 * Where text stops being JSON: the place of the first token that cannot stand there, or the text's length.
 * `JSON.parse` tells no position for short texts, and its wording is the engine's.
 */
export function jsonErrorAt(text: string): number {
  const open: ("{" | "[")[] = [];
  let next: Next = "value";
  let at = 0;
  for (;;) {
    SPACE.lastIndex = at;
    at += SPACE.exec(text)?.[0].length ?? 0;
    TOKEN.lastIndex = at;
    const found: RegExpExecArray | null = TOKEN.exec(text);
    const after: Next | null = found ? step(next, found, open) : null;
    if (!found || after === null) return at;
    next = after;
    at += found[0].length;
  }
}

/** What may follow the token, or null when it cannot stand here. Keeps `open`. */
function step(next: Next, token: RegExpExecArray, open: ("{" | "[")[]): Next | null {
  const text = token[0];
  const ends = (opened: "{" | "["): Next | null => (open.pop() === opened ? "more" : null);
  switch (next) {
    case "value":
    case "first item":
      if (text === "]" && next === "first item") return ends("[");
      if (text === "{" || text === "[") {
        open.push(text);
        return text === "{" ? "first name" : "first item";
      }
      return token.groups?.["mark"] === undefined ? "more" : null;
    case "first name":
    case "name":
      if (text === "}" && next === "first name") return ends("{");
      return token.groups?.["string"] === undefined ? null : "colon";
    case "colon":
      return text === ":" ? "value" : null;
    case "more":
      if (text === "}") return ends("{");
      if (text === "]") return ends("[");
      if (text !== "," || open.length === 0) return null;
      return open.at(-1) === "{" ? "name" : "value";
  }
}
