// Numbers, units and times as people read them. Values come as integers in a quantity's quantum.
import { w } from "../words";
import { live } from "./live.svelte";
import type { Instant, Quantity } from "./types";

const MINUS = "\u2212";
const THIN = "\u2009";

const numbers = new Map<number, Intl.NumberFormat>();

function plain(value: number, decimals: number): string {
  let format = numbers.get(decimals);
  if (format === undefined) {
    format = new Intl.NumberFormat(w.locale, {
      minimumFractionDigits: decimals,
      maximumFractionDigits: decimals,
      useGrouping: false,
    });
    numbers.set(decimals, format);
  }
  const text = format.format(Math.abs(value));
  const zero = !/[1-9]/.test(text);
  return value < 0 && !zero ? MINUS + text : text;
}

export function quantity(name: string): Quantity {
  return live.me?.quantities[name] ?? { unit: name === "duration" ? "" : "?", decimals: 0, per_display: 1 };
}

/** The number alone, without its unit. */
export function number(name: string, value: number, more = 0): string {
  const q = quantity(name);
  return plain(value / q.per_display, q.decimals + more);
}

/** A value with its unit; of a duration, words. */
export function amount(name: string, value: number): string {
  if (name === "duration") return duration(value);
  return `${number(name, value)}${THIN}${quantity(name).unit}`;
}

/** A limit: no more decimals than it has, so −150 °C and not −150.0 °C. */
export function bound(name: string, value: number): string {
  if (name === "duration") return duration(value);
  const q = quantity(name);
  const shown = value / q.per_display;
  const decimals = Number.isInteger(shown) ? 0 : q.decimals;
  const exact = Number.isInteger(shown * 10 ** decimals) ? decimals : decimals + 2;
  return `${plain(shown, exact)}${THIN}${q.unit}`;
}

/** An amount of time, coarser the longer it is. */
export function duration(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  const put = (n: number, unit: string) => `${n}${THIN}${unit}`;
  if (s < 60) return put(s, w.s);
  const min = Math.floor(s / 60);
  if (min < 10) return s % 60 ? `${put(min, w.min)} ${put(s % 60, w.s)}` : put(min, w.min);
  if (min < 60) return put(min, w.min);
  const h = Math.floor(min / 60);
  if (h < 48) return h < 10 && min % 60 ? `${put(h, w.h)} ${put(min % 60, w.min)}` : put(h, w.h);
  const d = Math.floor(h / 24);
  return h % 24 ? `${put(d, w.d)} ${put(h % 24, w.h)}` : put(d, w.d);
}

/** Whole hours where that is the habit (travel, LN2), minutes below one. What is needed is rounded up. */
export function hours(ms: number, up = false): string {
  const whole = up ? Math.ceil : Math.floor;
  if (ms < 3_600_000) return duration(whole(ms / 60_000) * 60_000);
  return `${whole(ms / 3_600_000)}${THIN}${w.h}`;
}

export function percent(part: number, whole: number): string {
  // Never rounded up to a hundred: 99.96 % has a hole in it.
  const tenths = Math.floor((part / whole) * 1000);
  return `${plain(tenths / 10, 1)}${THIN}%`;
}

// --- Times ----------------------------------------------------------------------------------------------------

const zones = new Map<string, Intl.DateTimeFormat>();

function parts(ms: number, zone: string): Record<string, string> {
  let format = zones.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("en-GB", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      timeZoneName: "shortOffset",
    });
    zones.set(zone, format);
  }
  return Object.fromEntries(format.formatToParts(ms).map((part) => [part.type, part.value]));
}

export function zone(): string {
  return live.head?.clock.zone ?? "UTC";
}

/** Whether the site's zone differs from UTC at that time. */
export function zoneDiffers(ms: number): boolean {
  return clock(ms, zone()) !== clock(ms, "UTC");
}

export function clock(ms: number, inZone = "UTC"): string {
  const p = parts(ms, inZone);
  return `${p.hour}:${p.minute}:${p.second}`;
}

/** Hours and minutes with the zone's offset: "22:26 GMT+8". */
export function siteTime(ms: number): string {
  const p = parts(ms, zone());
  return `${day(ms, zone())}${p.hour}:${p.minute} ${p.timeZoneName}`;
}

function date(ms: number, inZone: string): string {
  const p = parts(ms, inZone);
  return `${p.year}-${p.month}-${p.day}`;
}

/** "11-22 " if not today (by the monitor's clock, in that zone), "2025-11-22 " if not this year. */
function day(ms: number, inZone: string): string {
  const then = date(ms, inZone);
  const today = date(live.now.utc, inZone);
  if (then === today) return "";
  return `${then.slice(0, 4) === today.slice(0, 4) ? then.slice(5) : then} `;
}

/** UTC, with its date only where it is not today. */
export function time(ms: number): string {
  return `${day(ms, "UTC")}${clock(ms)}`;
}

/** Full date and time in UTC, for tables and copying. */
export function full(ms: number, inZone = "UTC"): string {
  return `${date(ms, inZone)} ${clock(ms, inZone)}`;
}

/** UTC, marked where the clock was not known when it was taken. */
export function instant(at: Instant): string {
  return (at.known === false ? "≈" : "") + time(at.ms);
}

/** The same with its zone, and the site's zone beside where it differs: "14:26:10 UTC, 22:26 GMT+8". */
export function moment(at: Instant): string {
  const beside = zoneDiffers(at.ms) ? `, ${siteTime(at.ms)}` : "";
  return `${instant(at)} ${w.utc}${beside}`;
}

/** The value of a datetime-local field, read as UTC; null if it is none. */
export function fromField(value: string): number | null {
  const ms = Date.parse(`${value}Z`);
  return Number.isNaN(ms) ? null : ms;
}

/** What a field's time means, year first: browsers show such fields in an order of their own. */
export function fieldMeans(ms: number): string {
  const utc = `${full(ms)} ${w.utc}`;
  return zoneDiffers(ms) ? `${utc}, ${w.in_site_zone(`${full(ms, zone())}`)}` : utc;
}

export function toField(ms: number): string {
  return new Date(ms).toISOString().slice(0, 16);
}
