/** A `fetch` that notes a header of each request that has it, and can be told of requests that fail. */
export function watchedFetch(header: string, failed: () => void = () => {}) {
  const noted: string[] = [];
  const watched: typeof fetch = async (input, init) => {
    const value = new Headers(init?.headers).get(header);
    if (value !== null) noted.push(value);
    return fetch(input, init).catch((error: unknown) => {
      failed();
      throw error;
    });
  };
  return { fetch: watched, noted };
}
