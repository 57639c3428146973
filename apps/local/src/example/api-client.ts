export type ApiClient = (path: string, init?: RequestInit) => Promise<Response>;

/** Calls Perdure's API with a key. Rejects with the problem's own words when the answer is 4xx or 5xx. */
export function apiClient(baseUrl: string, key: string, signal: AbortSignal): ApiClient {
  return async (path, init = {}) => {
    const headers = { ...init.headers, authorization: `Bearer ${key}` };
    const answer = await fetch(new URL(path, baseUrl), { ...init, headers, signal });
    if (answer.ok || answer.status === 304) return answer;
    throw new Error(`${init.method ?? 'GET'} ${path} was answered ${answer.status}: ${await answer.text()}`);
  };
}
