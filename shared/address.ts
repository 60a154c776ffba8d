/** A host as it stands before ":PORT" and in a URL: an IPv6 address is in brackets. */
export const bracketed = (host: string): string => (host.includes(":") ? `[${host}]` : host);
