// What is shown of a state that the monitor judged. The page may only make it worse: a value grows stale
// while nothing comes, and nothing is known while the line is lost.
import { word, w } from "../words";
import { duration } from "./format";
import type { Link, Now } from "./live.svelte";
import type { Alarm, Asset, Channel, Hold, Limit, Priority } from "./types";

export type Shape = Priority | "calm" | "not_known" | "outside" | "unjudged" | "lost";

export const PRIORITIES: Priority[] = ["critical", "high", "low", "to_know"];

export interface Shown {
  known: boolean; // whether there is a value that stands for now
  shape: Shape;
  word: string;
  why: string; // why it is not known
}

/** Whether what was heard stands for now: over a line that is live, or in the page as it was just served. */
export function stands(link: Link): boolean {
  return link === "live" || link === "told";
}

export function age(channel: Channel, now: Now): number | null {
  if (channel.heard_at_journal_ms === undefined) return null;
  return Math.max(0, now.journal - channel.heard_at_journal_ms);
}

export function channelShown(channel: Channel, now: Now, link: Link): Shown {
  const unknown = (why: string): Shown => ({ known: false, shape: "not_known", word: w.not_known, why });
  if (!stands(link)) return unknown(w.no_live_data);
  const old = age(channel, now);
  if (old === null) return unknown(w.never_heard);
  if (old > channel.fresh_within_ms) return unknown(w.silent_for(duration(old)));
  if (channel.quality === "bad" || channel.value === undefined) {
    return unknown(word(w.reason, channel.reason ?? "no_value"));
  }
  if (channel.judgement === "not_known") {
    return unknown(channel.reason ? word(w.reason, channel.reason) : w.unmonitored);
  }
  if (channel.judgement === "outside") return { known: true, shape: "outside", word: w.outside, why: "" };
  if (channel.judgement === "unjudged") return { known: true, shape: "unjudged", word: w.unjudged, why: "" };
  return { known: true, shape: "calm", word: w.calm, why: "" };
}

/** How far a value is inside a limit, negative outside, in quanta. */
export interface HoldNow {
  low: number | null;
  high: number | null;
  needed: number | null;
  enough: boolean;
}

/** A hold as time has gone on since it was reckoned: never longer, and enough only while it still is. */
export function holdNow(hold: Hold, now: Now): HoldNow {
  const gone = hold.reckoned_at_journal_ms === null ? 0 : Math.max(0, now.journal - hold.reckoned_at_journal_ms);
  const less = (ms: number | null) => (ms === null ? null : Math.max(0, ms - gone));
  const [low, high, needed] = [less(hold.low_ms), less(hold.high_ms), less(hold.needed_ms)];
  const lasts = low === null || low >= (needed ?? 0) + (hold.reserve_ms ?? 0);
  return { low, high, needed, enough: hold.enough !== false && lasts };
}

export function inside(limit: Limit, value: number): number {
  return limit.side === "above" ? limit.limit - value : value - limit.limit;
}

/** The limit to show first: of those the value is outside of, the gravest; else the nearest. */
export function firstLimit(channel: Channel): Limit | undefined {
  const limits = channel.limits ?? [];
  const nearest = limits.find((limit) => limit.id === channel.nearest) ?? limits[0];
  if (channel.judgement !== "outside" || channel.value === undefined) return nearest;
  const value = channel.value;
  const violated = limits.filter((limit) => inside(limit, value) < 0 && limit.allowance_ms === undefined);
  const rank = (limit: Limit) => PRIORITIES.indexOf(limit.priority ?? "high");
  return violated.sort((a, b) => rank(a) - rank(b))[0] ?? nearest;
}

/** Kinds of alarms about ourselves that have words of their own, whatever their rule is called. */
const OWN = new Set(["port", "link", "nothing_heard", "work"]);

/** The words of an alarm: the profile's, or our own where it is an alarm about ourselves. */
export function alarmWords(alarm: Alarm): { title: string; advice: string } {
  const own = w.own[OWN.has(alarm.kind) ? alarm.kind : alarm.title];
  const title = alarm.kind === "work" ? w.work_alarm(own?.title ?? "", alarm.title) : (own?.title ?? alarm.title);
  return { title, advice: alarm.advice || (own?.advice ?? "") };
}

export function wantsAcknowledging(alarm: Alarm): boolean {
  return alarm.state === "unacknowledged" || alarm.state === "return_to_normal_unacknowledged";
}

export function isSilenced(alarm: Alarm): boolean {
  return alarm.state === "shelved" || alarm.state === "suppressed_by_design" || alarm.state === "out_of_service";
}

/** Whether the alarm still says that something is wrong now. */
export function isStanding(alarm: Alarm): boolean {
  return !isSilenced(alarm) && alarm.state !== "normal" && (alarm.active !== false || wantsAcknowledging(alarm));
}

/** The occurrences that an acknowledgement given now would name. */
export function waiting(alarm: Alarm): number[] {
  return (alarm.occurrences ?? []).filter((each) => !each.acknowledged).map((each) => each.number);
}

/** Sound is for what wants somebody now. */
export function sounds(alarm: Alarm): boolean {
  return wantsAcknowledging(alarm) && (alarm.priority === "critical" || alarm.priority === "high");
}

export function inOrder(alarms: Alarm[]): Alarm[] {
  const rank = (alarm: Alarm) =>
    (isSilenced(alarm) ? 100 : 0) +
    (isStanding(alarm) ? 0 : 50) +
    PRIORITIES.indexOf(alarm.priority) * 10 +
    (wantsAcknowledging(alarm) ? 0 : 5);
  return alarms
    .map((alarm, place) => ({ alarm, place }))
    .sort((a, b) => rank(a.alarm) - rank(b.alarm) || b.alarm.since.ms - a.alarm.since.ms || a.place - b.place)
    .map((each) => each.alarm);
}

export interface AssetShown {
  shape: Shape; // the worst of all
  word: string;
  critical: boolean; // wants somebody at once
  unknown: Shown | null; // set if anything on it is not known
  first: Channel | undefined; // the channel that says most: what is outside, else the first
}

export function assetShown(asset: Asset, alarms: Alarm[], now: Now, link: Link): AssetShown {
  const mine = alarms.filter((alarm) => alarm.asset === asset.id && isStanding(alarm));
  const shown = asset.channels.map((channel) => ({ channel, shown: channelShown(channel, now, link) }));
  const worst = PRIORITIES.find((priority) => mine.some((alarm) => alarm.priority === priority));
  const dark = shown.find((each) => !each.shown.known)?.shown ?? null;
  const unmonitored: Shown | null =
    asset.monitored === false
      ? { known: false, shape: "not_known", word: w.not_known, why: asset.why || w.unmonitored }
      : null;
  const unknown = stands(link) ? (unmonitored ?? dark) : (dark ?? unmonitored);
  const outside = shown.find((each) => each.shown.shape === "outside");
  const first = (outside ?? shown[0])?.channel;
  const critical = mine.some((alarm) => alarm.priority === "critical" && wantsAcknowledging(alarm));
  const base = { critical, unknown, first };
  if (!stands(link)) return { ...base, shape: "not_known", word: w.not_known };
  if (worst !== undefined) return { ...base, shape: worst, word: w.priority[worst] };
  if (unknown !== null) return { ...base, shape: "not_known", word: w.not_known };
  if (outside !== undefined) return { ...base, shape: "outside", word: w.outside };
  const judged = shown.some((each) => each.shown.shape === "calm");
  if (!judged) return { ...base, shape: "unjudged", word: w.unjudged };
  return { ...base, shape: "calm", word: w.calm };
}
