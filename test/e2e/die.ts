/** Ends this process as `kill -9` does: nothing runs after it, no handler, no buffer is flushed. */
export function die(): never {
  process.kill(process.pid, "SIGKILL");
  // The signal is on its way; not one more statement may run.
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

type Arguments<Method> = Method extends (...args: infer A) => unknown ? A : never;
type Result<Method> = Method extends (...args: never[]) => Promise<infer R> ? R : never;
type Loose = Record<PropertyKey, (...args: unknown[]) => Promise<unknown>>;

/** The port, with death before the method begins. */
export function dieBefore<Port extends object, Name extends keyof Port>(
  port: Port,
  name: Name,
  when: (...args: Arguments<Port[Name]>) => boolean = () => true,
): Port {
  const method = async (...args: unknown[]) =>
    when(...(args as Arguments<Port[Name]>)) ? die() : (port as unknown as Loose)[name]?.(...args);
  return { ...port, [name]: method };
}

/** The port, with death once the method is done. */
export function dieAfter<Port extends object, Name extends keyof Port>(
  port: Port,
  name: Name,
  when: (result: Result<Port[Name]>, ...args: Arguments<Port[Name]>) => boolean = () => true,
): Port {
  const method = async (...args: unknown[]) => {
    const result = await (port as unknown as Loose)[name]?.(...args);
    return when(result as Result<Port[Name]>, ...(args as Arguments<Port[Name]>)) ? die() : result;
  };
  return { ...port, [name]: method };
}

/** The bytes, and death after the first of them. */
export async function* dieWithin(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    yield chunk;
    die();
  }
}
