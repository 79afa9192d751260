import type { Asset } from "./types";
import { SPAN_MS, view } from "./view.svelte";

const HOUR = 3_600_000;

/** The stretch of time the curves of an asset show now. */
export function spanOf(asset: Asset, utc: number): { from: number; to: number } {
  if (view.fixed !== null) return view.fixed;
  if (view.span !== "packing") return { from: utc - SPAN_MS[view.span], to: utc };
  if (asset.consignment === undefined) return { from: utc - SPAN_MS["24h"], to: utc };
  return { from: Math.min(asset.consignment.started.ms, utc - HOUR), to: utc };
}
