import type { Asset } from "./types";
import { SPAN_MS, view } from "./view.svelte";

const DAY = 86_400_000;
const HOUR = 3_600_000;

/** The stretch of time the curves of an asset show now. */
export function spanOf(asset: Asset, utc: number): { from: number; to: number } {
  if (view.fixed !== null) return view.fixed;
  if (view.span !== "packing") return { from: utc - SPAN_MS[view.span], to: utc };
  // Without a consignment there is no packing: a day says more than an hour since the start.
  const packed = asset.consignment?.started.ms ?? utc - DAY;
  return { from: Math.min(packed, utc - HOUR), to: utc };
}
