// The page's side of the line: the state as last heard, and whether what is shown is still so.
//
// Times tick by journal time, which comes with every heartbeat; between heartbeats the browser's monotonic
// clock carries on. The viewer's own wall clock is never used.
import * as api from "./api";
import { stands } from "./judge";
import type { Alarm, Asset, Change, Head, Me, Pulse, Start } from "./types";

// "told": the page brought the state with it and the line is not up yet.
export type Link = "connecting" | "told" | "live" | "lost" | "stalled";

export interface Now { journal: number; utc: number; clockKnown: boolean }

// A heartbeat may be late by this part of its interval before the line counts as lost.
const PATIENCE = 1.6;
const TICK_MS = 250;

class Live {
  me = $state.raw<Me | null>(null);
  wantsLogin = $state(false);
  head = $state.raw<Head | null>(null);
  assets = $state.raw<Asset[]>([]);
  alarms = $state.raw<Alarm[]>([]);
  link = $state<Link>("connecting");
  lostAtUtc = $state<number | null>(null);
  beats = $state(0);
  now = $state.raw<Now>({ journal: 0, utc: 0, clockKnown: false });

  live = $derived(this.link === "live");
  // Whether what is shown is so, as far as the monitor can know.
  fresh = $derived(stands(this.link));

  #assets = new Map<string, Asset>();
  #alarms = new Map<string, Alarm>();
  #pulse: Pulse | null = null;
  #pulseAt = 0;
  #heardAt = 0;
  #source: EventSource | null = null;
  #lastId = "";
  #proven = false; // a heartbeat has come over this very connection
  #retry: ReturnType<typeof setTimeout> | undefined;
  #attempts = 0;

  start(): void {
    this.#begin();
    setInterval(() => this.#tick(), TICK_MS);
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.#tick();
    });
    this.connect();
  }

  // On a slow line the page's own answer is the first word of the monitor; asking again costs a round trip or
  // two. It is as old as that answer, however long the script was on its way.
  #begin(): void {
    const brought = document.getElementById("start")?.textContent;
    if (!brought) return;
    const start: Start = JSON.parse(brought);
    const [page] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
    this.me = start.me;
    this.#pulse = start.beat;
    this.#pulseAt = page?.responseStart ?? 0;
    this.link = "told";
    this.#take(start.state, start.since);
  }

  get #patience(): number {
    return (this.me?.heartbeat_ms ?? 2_000) * PATIENCE;
  }

  connect(): void {
    clearTimeout(this.#retry);
    this.#source?.close();
    const source = new EventSource(`api/events?since=${encodeURIComponent(this.#lastId)}`);
    this.#source = source;
    this.#heardAt = performance.now();
    this.#proven = false;
    const on = (name: string, take: (event: MessageEvent<string>) => void) =>
      source.addEventListener(name, (event) => {
        if (source !== this.#source) return;
        this.#heardAt = performance.now();
        take(event);
      });
    on("me", (event) => {
      this.me = JSON.parse(event.data);
      this.wantsLogin = false;
    });
    on("beat", (event) => this.#beat(JSON.parse(event.data)));
    on("state", (event) => {
      this.#assets.clear();
      this.#alarms.clear();
      this.#take(JSON.parse(event.data), event.lastEventId);
    });
    on("change", (event) => this.#take(JSON.parse(event.data), event.lastEventId));
    on("bye", () => this.#lose("lost"));
    source.onerror = () => {
      if (source !== this.#source) return;
      this.#lose("lost");
      void this.#ask();
    };
    this.#tick();
  }

  // An event stream does not say why it failed: it may be that somebody must log in.
  async #ask(): Promise<void> {
    this.#source?.close();
    this.#source = null;
    try {
      await api.me();
    } catch (error) {
      if (error instanceof api.Refused && error.status === 401) {
        this.wantsLogin = true;
        return;
      }
    }
    this.#again();
  }

  #again(): void {
    this.#source?.close();
    this.#source = null;
    clearTimeout(this.#retry);
    this.#attempts += 1;
    this.#retry = setTimeout(() => this.connect(), Math.min(5_000, 500 * this.#attempts));
  }

  #beat(pulse: Pulse): void {
    this.#pulse = pulse;
    this.#pulseAt = performance.now();
    this.#attempts = 0;
    this.#proven = true;
    this.beats += 1;
    this.#tick();
  }

  #take(change: Change, id: string): void {
    for (const asset of change.assets) this.#assets.set(asset.id, asset);
    for (const alarm of change.alarms) this.#alarms.set(alarm.id, alarm);
    for (const key of change.gone) {
      const [kind, id] = [key.slice(0, key.indexOf(":")), key.slice(key.indexOf(":") + 1)];
      (kind === "asset" ? this.#assets : this.#alarms).delete(id);
    }
    if (change.head) this.head = change.head;
    const ordered = <T,>(order: string[], from: Map<string, T>) =>
      order.map((id) => from.get(id)).filter((view): view is T => view !== undefined);
    this.assets = ordered(this.head?.asset_order ?? [], this.#assets);
    this.alarms = ordered(this.head?.alarm_order ?? [], this.#alarms);
    this.#lastId = id;
    this.#tick();
  }

  #tick(): void {
    const pulse = this.#pulse;
    if (pulse === null) return;
    const on = (performance.now() - this.#pulseAt) * pulse.speed;
    this.now = { journal: pulse.journal_ms + on, utc: pulse.utc_ms + on, clockKnown: pulse.clock_known };
    if (this.#source === null) return;
    if (this.link === "told" && performance.now() - this.#pulseAt > this.#patience) this.link = "connecting";
    if (performance.now() - this.#heardAt > this.#patience) {
      this.#lose("lost");
      this.#again();
    } else if (pulse.journal_ms - pulse.beat_journal_ms > pulse.beat_within_ms) {
      this.#lose("stalled");
    } else if (this.head !== null && this.#proven) {
      this.link = "live";
      this.lostAtUtc = null;
    }
  }

  #lose(how: "lost" | "stalled"): void {
    if (this.link === "live" || this.lostAtUtc === null) {
      const pulse = this.#pulse;
      if (pulse !== null) {
        // The last moment for which anything is vouched.
        const until = how === "lost" ? this.#heardAt - this.#pulseAt : pulse.beat_journal_ms - pulse.journal_ms;
        this.lostAtUtc = pulse.utc_ms + Math.round(until);
      }
    }
    // A first connection that fails is tried once more before it is called lost, unless something is shown.
    const shown = this.head !== null;
    if (this.link !== "connecting" || shown || how === "stalled" || this.#attempts > 1) this.link = how;
  }

  async logout(): Promise<void> {
    await api.logout();
    this.#source?.close();
    this.#source = null;
    this.#lastId = "";
    this.#assets.clear();
    this.#alarms.clear();
    this.assets = [];
    this.alarms = [];
    this.head = null;
    this.me = null;
    this.link = "connecting";
    this.wantsLogin = true;
  }
}

export const live = new Live();
