// Requests to the server. Addresses are relative, so the page also works below a path of a proxy.
import type { Action, Me, Series } from "./types";

export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly retryS = 0,
    readonly confirm = false, // it would be done if it were asked for as confirmed
  ) {
    super(message);
  }
}

async function ask<T>(path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const response = await fetch(path, {
    method: body === undefined ? "GET" : "POST",
    headers: body === undefined ? {} : { "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
    credentials: "same-origin",
    cache: "no-store",
    signal: signal ?? AbortSignal.timeout(15_000),
  });
  if (response.status === 204) return undefined as T;
  const text = await response.text();
  let data: { message?: string; confirm?: boolean } = {};
  try {
    data = JSON.parse(text);
  } catch {
    data = { message: text.trim() }; // a proxy's own page, or the guard's plain words
  }
  if (!response.ok) {
    const retry = Number(response.headers.get("retry-after") ?? 0);
    throw new Refused(response.status, data.message ?? String(response.status), retry, data.confirm);
  }
  return data as T;
}

export const me = () => ask<Me>("api/me");
export const login = (name: string, password: string) => ask<Me>("api/login", { name, password });
export const logout = () => ask<void>("api/logout", {});
export const act = (action: Action) => ask<{ done: boolean; message?: string }>("api/act", action);

export function series(channel: string, from: number, to: number, columns: number, signal: AbortSignal) {
  const query = new URLSearchParams({
    channel,
    from: String(Math.round(from)),
    to: String(Math.round(to)),
    columns: String(columns),
  });
  return ask<Series>(`api/series?${query}`, undefined, signal);
}
