import type { Asset } from "./types";
import { SPAN_MS, view } from "./view.svelte";

const DAY = 86_400_000;
const HOUR = 3_600_000;

/** The stretch of time the curves of an asset show now. */
export function spanOf(asset: Asset, utc: number): { from: number; to: number } {
  if (view.fixed !== null) return view.fixed;
  if (view.span !== "packing") return { from: utc - SPAN_MS[view.span], to: utc };
  // Without a consignment nothing was packed: from the first that was heard, at most a day.
  const heard = asset.channels.flatMap((channel) => (channel.since ? [channel.since.ms] : []));
  const start = asset.consignment?.started.ms ?? Math.max(utc - DAY, Math.min(...heard, utc));
  return { from: Math.min(start, utc - HOUR), to: utc };
}
