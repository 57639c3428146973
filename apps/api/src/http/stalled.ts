import type { ServerResponse } from 'node:http';

/**
 * Drops a connection whose client has taken nothing for so long, though there was something to take. A client that is merely
 * slow stays, and so does one for which nothing has come. The timer is Node's own for the socket.
 */
export function dropWhenStalled(response: ServerResponse, ms: number): void {
  response.setTimeout(ms, () => {
    if (response.writableLength > 0) response.destroy();
  });
}
