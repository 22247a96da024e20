import { expect, test } from "vitest";
import { jsonErrorAt } from "./json-place.ts";
import { parseJsonObject } from "./json.ts";

const refused = (text: string) => {
  try {
    parseJsonObject(text, "the body");
    return null;
  } catch (error) {
    return (error as Error).message;
  }
};

test("broken JSON is refused with its place", () => {
  expect(refused('{"a": 1,}')).toBe('the body is not valid JSON: unexpected "}" at line 1, column 9');
  expect(refused('{"a":\n  oops}')).toBe('the body is not valid JSON: unexpected "o" at line 2, column 3');
  expect(refused('{"a":')).toBe("the body is not valid JSON: it ends too early at line 1, column 6");
  expect(refused("'a'")).toBe('the body is not valid JSON: unexpected "\'" at line 1, column 1');
  expect(refused("7")).toBe("the body must be a JSON object");
});

test("a name that stands twice is refused, deeper names and texts that look like names are not", () => {
  expect(refused('{"a":1,"b":2,"\\u0061":3}')).toBe("a: is given twice");
  expect(refused('{"a":{"b":1},"c":{"b":2},"d":["a","a"],"e":"\\"a\\": {"}')).toBeNull();
});

test("the place of an error is where JSON.parse refuses too, and only there", () => {
  const whole = '{"a": [1, -2.5e3, true, null, "x\\u00e9\\n", {}, []], "b": {"c": "d"}}';
  expect(jsonErrorAt(whole)).toBe(whole.length);
  for (let at = 0; at < whole.length; at++) {
    for (const char of ["", ",", "}", "]", '"', "x", "{", "1"]) {
      const text = whole.slice(0, at) + char + whole.slice(at + 1);
      const valid = refused(text) === null || !refused(text)?.includes("not valid JSON");
      // Valid text is read to its end; the end of broken text may be reached too: it is cut short then.
      if (valid) expect([text, jsonErrorAt(text)]).toEqual([text, text.length]);
      else
        expect(
          () =>
            JSON.parse(text.slice(0, jsonErrorAt(text)) + (jsonErrorAt(text) === text.length ? "" : text[jsonErrorAt(text)])) as unknown,
        ).toThrow();
    }
  }
});
