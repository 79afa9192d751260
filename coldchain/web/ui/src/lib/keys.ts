// The keyboard: arrows choose, one key acts. Single keys can be switched off (WCAG 2.1.4).
import { acting } from "./acting.svelte";
import { waiting, wantsAcknowledging } from "./judge";
import { sound } from "./sound.svelte";
import type { Alarm, Asset } from "./types";
import { view } from "./view.svelte";

// What is shown, and which asset is open (which may be by default, and so not in the address).
export interface Lists { alarms: Alarm[]; assets: Asset[]; open: string | null }

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest("input, textarea, select, [contenteditable]") !== null;
}

function inAssets(): boolean {
  return document.activeElement?.closest(".assets, .board") != null;
}

function focus(selector: string): void {
  // After the page has been brought up to date.
  requestAnimationFrame(() => document.querySelector<HTMLElement>(selector)?.focus());
}

const focusAlarm = (id: string) => focus(`[data-alarm="${CSS.escape(id)}"] .choose`);
const focusAsset = (id: string) => focus(`[data-asset="${CSS.escape(id)}"]`);

function step(lists: Lists, by: number): void {
  if (inAssets() || lists.alarms.length === 0) {
    const at = lists.assets.findIndex((asset) => asset.id === lists.open);
    const next = lists.assets[Math.min(Math.max(at + by, 0), lists.assets.length - 1)];
    if (next) {
      view.choose(next.id);
      focusAsset(next.id);
    }
    return;
  }
  const at = lists.alarms.findIndex((alarm) => alarm.id === acting.chosen);
  const next = lists.alarms[Math.min(Math.max(at + by, 0), lists.alarms.length - 1)];
  if (next) {
    acting.chosen = next.id;
    focusAlarm(next.id);
  }
}

function across(lists: Lists): void {
  if (inAssets()) {
    const alarm = lists.alarms.find((each) => each.id === acting.chosen) ?? lists.alarms[0];
    if (alarm) {
      acting.chosen = alarm.id;
      focusAlarm(alarm.id);
    }
    return;
  }
  const asset = lists.assets.find((each) => each.id === lists.open) ?? lists.assets[0];
  if (asset) focusAsset(asset.id);
}

/** The alarm a key acts on: the chosen one, else the first that wants somebody. */
function subject(lists: Lists): Alarm | undefined {
  return lists.alarms.find((alarm) => alarm.id === acting.chosen) ?? lists.alarms.find(wantsAcknowledging);
}

export function key(event: KeyboardEvent, lists: Lists): void {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (document.querySelector("dialog[open]") !== null) return;
  if (typing(event.target)) {
    if (event.key === "Escape") (event.target as HTMLElement).blur();
    return;
  }
  const done = () => event.preventDefault();
  switch (event.key) {
    case "ArrowDown":
    case "ArrowUp":
      step(lists, event.key === "ArrowDown" ? 1 : -1);
      return done();
    case "ArrowLeft":
    case "ArrowRight":
      across(lists);
      return done();
  }
  if (!view.keys) return;
  const alarm = subject(lists);
  switch (event.key) {
    case "a":
      if (alarm && wantsAcknowledging(alarm) && waiting(alarm).length > 0) acting.start("acknowledge", alarm);
      return done();
    case "s":
      if (alarm) acting.start("shelve", alarm);
      return done();
    case "/":
      focus("#find");
      return done();
    case "m":
      sound.toggle();
      return done();
    case "?":
      acting.help = true;
      return done();
  }
}
