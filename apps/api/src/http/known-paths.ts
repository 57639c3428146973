/**
 * Which methods a path answers to. Fastify itself says 404 to a known path with another method; 405 with `Allow` is
 * right (RFC 9110, 15.5.6).
 */
export class KnownPaths {
  private readonly routes = new Map<string, { pattern: RegExp; methods: Set<string> }>();

  /** For Fastify's hook `onRoute`. */
  add(route: { url: string; method: string | string[] }): void {
    const known = this.routes.get(route.url) ?? { pattern: patternOf(route.url), methods: new Set<string>() };
    for (const method of [route.method].flat()) known.methods.add(method);
    this.routes.set(route.url, known);
  }

  /** All of them, in the router's own syntax. */
  all(): { method: string; url: string }[] {
    return [...this.routes].flatMap(([url, { methods }]) => [...methods].map((method) => ({ method, url })));
  }

  methodsOf(url: string): string[] {
    const path = url.split('?', 1)[0] ?? '';
    const plain = path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
    const found = [...this.routes.values()].filter(({ pattern }) => pattern.test(plain));
    return [...new Set(found.flatMap(({ methods }) => [...methods]))].sort();
  }
}

/** The router's own syntax: `:name`, `:name(^regex)`, `::` for a colon, `*` at the end. */
function patternOf(url: string): RegExp {
  const source = url.replaceAll(/::|:\w+(?:\(\^?(.*?)\))?|\*|[.+?^${}()|[\]\\]/g, (token, inner?: string) => {
    if (token === '::') return ':';
    if (token === '*') return '.*';
    if (token.startsWith(':')) return inner ?? '[^/]+';
    return `\\${token}`;
  });
  return new RegExp(`^${source}$`);
}
