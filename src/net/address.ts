/** `host:port` as brokers, tools and configuration files write it; IPv6 hosts in brackets. */

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** null for anything that is not `host:port` with a port in 1..65535. */
export function parseAddress(text: string): Address | null {
  const match = /^(?:\[([^\]]+)\]|([^:\s]+)):(\d{1,5})$/.exec(text);
  if (match === null) return null;
  const [, ipv6, name, digits] = match;
  const host = ipv6 ?? name ?? '';
  const port = Number(digits);
  return port < 1 || port > 65_535 ? null : { host, port };
}

/** An IPv4 address as such, also where a socket for both families shows it as an IPv6 one. */
export function plainHost(host: string): string {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(host)?.[1] ?? host;
}
