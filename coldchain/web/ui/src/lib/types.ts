// What the server sends: coldchain/web/views.py and series.py say what each field means. Fields that are
// optional here are left out of the JSON when they hold their default.

export interface Instant { ms: number; known?: boolean }

export type Priority = "critical" | "high" | "low" | "to_know";
export type AlarmState =
  | "normal"
  | "unacknowledged"
  | "acknowledged"
  | "return_to_normal_unacknowledged"
  | "shelved"
  | "suppressed_by_design"
  | "out_of_service";
export type Judgement = "inside" | "outside" | "not_known" | "unjudged";
export type Side = "above" | "below";

export interface Cited { source: string; confidence: string; approved_by?: string }

export interface Limit {
  id: string;
  side: Side;
  limit: number;
  cited: Cited;
  title?: string;
  outside?: "beyond" | "at_or_beyond";
  priority?: Priority;
  hold_ms?: number;
  allowance_ms?: number;
  spent_ms?: number;
  spending?: boolean;
  spent_at_journal_ms?: number;
}

export interface Extreme { value: number; at: Instant }

export interface Channel {
  id: string;
  role: string;
  quantity: string;
  judgement: Judgement;
  fresh_within_ms: number;
  title?: string;
  quality?: "good" | "uncertain" | "bad";
  reason?: string;
  value?: number;
  at?: Instant;
  heard_at_journal_ms?: number;
  limits?: Limit[];
  nearest?: string;
  distance?: number;
  outside_since?: Instant;
  per_minute?: number;
  since?: Instant;
  least?: Extreme;
  greatest?: Extreme;
  good_ms?: number;
  product_ms?: number;
  counts_at_journal_ms?: number;
  good_until_journal_ms?: number;
  blind_ms?: number;
  blind_at_journal_ms?: number;
  probe?: string;
  calibration_due?: Instant;
  simulated?: boolean;
}

export interface Profile { id: string; version: string; approved: boolean; title?: string }

export interface Consignment {
  id: string;
  stage: string;
  started: Instant;
  stage_title?: string;
  stage_since?: Instant;
  eta?: Instant;
  units?: number;
  origin?: string;
  destination?: string;
}

export interface Hold {
  low_ms: number | null;
  high_ms: number | null;
  needed_ms: number | null;
  reckoned_at_journal_ms: number | null;
  reserve_ms?: number;
  basis?: string;
  enough?: boolean;
  channel?: string;
  why?: string;
}

export interface Asset {
  id: string;
  title: string;
  kind: string;
  judgement: Judgement;
  channels: Channel[];
  stage?: string;
  stage_title?: string;
  stages?: string[];
  consignment?: Consignment;
  profile?: Profile;
  hold?: Hold;
  monitored?: boolean;
  why?: string;
  simulated?: boolean;
  works?: Work[];
  work_choices?: WorkChoice[];
}

export interface Work {
  scope: string;
  work: string;
  state: "under_way" | "awaited" | "unconfirmed";
  since: Instant;
  until: Instant | null;
  title?: string;
  hides?: string[];
  by?: string;
  comment?: string;
  by_readings?: boolean;
  checked?: boolean;
  shown?: boolean;
}

export interface WorkChoice { id: string; longest_ms: number; title?: string; by_design?: boolean }

export interface Occurrence {
  number: number;
  since: Instant;
  announced: Instant;
  due?: Instant;
  ended?: Instant;
  late?: string;
  value?: number;
  acknowledged?: boolean;
  confirmed?: boolean;
}

export interface Told { who: string; receipt?: Instant; failed?: string }
export interface Taken { who: string; at: Instant; occurrences: number[]; comment?: string }
export interface Called { who: string; at?: Instant; due?: Instant; held?: boolean }
export interface Shelf { until: Instant | null; by?: string; comment?: string }

export interface Alarm {
  id: string;
  kind: string;
  title: string;
  priority: Priority;
  state: AlarmState;
  since: Instant;
  announced: Instant;
  occurrences?: Occurrence[];
  asset?: string;
  channel?: string;
  active?: boolean;
  latched?: boolean;
  due?: Instant;
  late?: string;
  last_confirmed?: Instant;
  value?: number;
  limit?: number;
  side?: Side;
  quantity?: string;
  hold_ms?: number;
  cited?: Cited;
  advice?: string;
  detail?: Record<string, string>;
  told?: Told[];
  taken?: Taken[];
  called?: Called[];
  group?: string;
  first_in_group?: boolean;
  shelf?: Shelf;
  shelf_max_ms?: number;
  re_alarm?: Instant;
  can_reset?: boolean;
  can_close?: boolean;
  unrecorded?: boolean;
  unapproved?: boolean;
  simulated?: boolean;
}

export interface Source {
  id: string;
  driver: string;
  up: boolean;
  since?: Instant;
  detail?: string;
  simulated?: boolean;
}
export interface Sink { id: string; ok: boolean; waiting?: number; oldest?: Instant; detail?: string }

export interface Gateway {
  version: string;
  started: Instant;
  journal_ok?: boolean;
  why?: string;
  sources?: Source[];
  sinks?: Sink[];
  flood?: Instant;
}

export interface ProfileChoice {
  id: string;
  version: string;
  approved: boolean;
  stages: string[];
  title?: string;
  roles?: string[];
}
export interface ChannelChoice { id: string; quantity: string; asset?: string; role?: string }

export interface Head {
  site: string;
  clock: { known: boolean; zone: string; source?: string };
  gateway: Gateway;
  asset_order: string[];
  alarm_order: string[];
  profiles?: ProfileChoice[];
  channels?: ChannelChoice[];
  simulated?: boolean;
}

export interface Change { assets: Asset[]; alarms: Alarm[]; gone: string[]; head?: Head }

export interface Pulse {
  journal_ms: number;
  utc_ms: number;
  clock_known: boolean;
  beat_journal_ms: number;
  beat_within_ms: number;
  speed: number;
}

/** What the page brings with it when it is served, so that nothing has to be asked for first. */
export interface Start { me: Me; beat: Pulse; state: Change; since: string }

export interface Quantity { unit: string; decimals: number; per_display: number }

export interface Me {
  name: string;
  role: "viewer" | "operator" | "admin";
  authenticated: boolean;
  heartbeat_ms: number;
  version: string;
  quantities: Record<string, Quantity>;
}

export interface Span { from_ms: number; to_ms: number; why?: string }
export interface LimitSpan { from_ms: number; to_ms: number; limit: Limit }
export interface Excursion {
  id: string;
  rule: string;
  from_ms: number;
  to_ms: number | null;
  extreme?: number;
  triggered?: boolean;
}
export interface Mark { at_ms: number; kind: string; text?: string }

// A time whose readings were removed: what stands for them, span by span.
export interface Band {
  from_ms: number[];
  to_ms: number[];
  low: number[];
  high: number[];
  mean: (number | null)[];
  count: number[];
  doubtful: boolean[];
}

export interface Series {
  channel: string;
  quantity: string;
  from_ms: number;
  to_ms: number;
  drawn: {
    at_ms: number[];
    low: number[];
    high: number[];
    last: number[];
    count: number[];
    doubtful: boolean[];
    gaps: Span[];
    bad: Span[];
  };
  readings?: number;
  limits?: LimitSpan[];
  excursions?: Excursion[];
  marks?: Mark[];
  packed?: Instant;
  clock_known?: boolean;
  simulated?: boolean;
  band?: Band;
}

export type Action =
  | { do: "acknowledge"; alarm: string; occurrences: number[]; comment: string }
  | { do: "shelve"; alarm: string; until_ms: number; comment: string }
  | { do: "unshelve"; alarm: string; comment: string }
  | { do: "reset"; alarm: string; comment: string }
  | { do: "close"; alarm: string; comment: string }
  | { do: "begin_work"; scope: string; work: string; until_ms: number; comment: string }
  | { do: "end_work"; scope: string; work: string; comment: string }
  | { do: "start"; consignment: string; asset: string; profile: string; stage: string; units: string[]; why: string }
  | { do: "stage"; consignment: string; stage: string; why: string }
  | { do: "eta"; consignment: string; eta_ms: number }
  | { do: "end"; consignment: string; outcome: string; why: string }
  | { do: "bind"; channel: string; asset: string; role: string; why: string; confirmed?: boolean }
  | { do: "unbind"; channel: string; why: string };
