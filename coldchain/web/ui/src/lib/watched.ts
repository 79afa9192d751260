// How much of the time somebody watched, and could have been called.
import type { Now } from "./live.svelte";
import type { Channel } from "./types";

/** GOOD time and product time so far: both run on, GOOD time for as long as the last reading counts. */
export function coverage(channel: Channel, now: Now): { good: number; product: number } | null {
  if (channel.good_ms === undefined || !channel.product_ms) return null;
  const from = channel.counts_at_journal_ms ?? now.journal;
  const until = Math.min(now.journal, channel.good_until_journal_ms ?? from);
  return {
    good: channel.good_ms + Math.max(0, until - from),
    product: channel.product_ms + Math.max(0, now.journal - from),
  };
}

/** How long at least one of a channel's alarms called nobody, since packing; null if never. */
export function blindFor(channel: Channel, now: Now): number | null {
  const since = channel.blind_at_journal_ms;
  const total = (channel.blind_ms ?? 0) + (since === undefined ? 0 : Math.max(0, now.journal - since));
  return total > 0 || since !== undefined ? total : null;
}
