// The drawing itself: uPlot draws axes and the line; here are the parts that carry meaning.
import uPlot from "uplot";

import { w } from "../words";
import { bound, number, quantity } from "./format";
import { PRIORITIES } from "./judge";
import type { Limit, Series } from "./types";

export interface Drawing {
  series: Series;
  now: number; // UTC; later is the future
  stamps: string[];
  limits: Limit[]; // in force now, for where the series says nothing of its own
}

interface Ink { text: string; muted: string; grid: string; line: string; alarm: string; shade: string; hatch: string; ground: string; font: string }

function ink(element: Element): Ink {
  const style = getComputedStyle(element);
  const of = (name: string) => style.getPropertyValue(name).trim();
  return {
    text: of("--text"),
    muted: of("--muted"),
    grid: of("--grid"),
    line: of("--curve"),
    alarm: of("--critical"),
    shade: of("--shade"),
    hatch: of("--hatch"),
    ground: of("--panel"),
    font: `12px ${style.fontFamily}`,
  };
}

type Row = [number[], (number | null)[], (number | null)[], (number | null)[]];

/** Columns as uPlot takes them, with an empty point in each gap and each stretch without a value. */
export function rows(series: Series): Row {
  const { at_ms, low, high, last, gaps, bad } = series.drawn;
  const scale = quantity(series.quantity).per_display;
  const summed = series.band?.from_ms ?? [];
  const breaks = [...[...gaps, ...bad].map((span) => span.from_ms), ...summed].sort((a, b) => a - b);
  const out: Row = [[], [], [], []];
  let next = 0;
  const cut = (before: number) => {
    for (; next < breaks.length && breaks[next]! <= before; next += 1) {
      out[0].push(breaks[next]!);
      for (const list of [out[1], out[2], out[3]]) list.push(null);
    }
  };
  for (let i = 0; i < at_ms.length; i += 1) {
    cut(at_ms[i]!);
    out[0].push(at_ms[i]!);
    out[1].push(low[i]! / scale);
    out[2].push(high[i]! / scale);
    out[3].push(last[i]! / scale);
  }
  cut(Number.POSITIVE_INFINITY);
  return out;
}

/** Text that stays legible on whatever is behind it. */
function label(ctx: CanvasRenderingContext2D, colours: Ink, text: string, x: number, y: number): void {
  ctx.strokeStyle = colours.ground;
  ctx.lineWidth = 4 * devicePixelRatio;
  ctx.lineJoin = "round";
  ctx.strokeText(text, x, y);
  ctx.fillText(text, x, y);
}

function limitLines(drawing: Drawing): { from: number; to: number; limit: Limit }[] {
  const { series, limits } = drawing;
  if (series.limits && series.limits.length > 0) {
    return series.limits.map((span) => ({ from: span.from_ms, to: span.to_ms, limit: span.limit }));
  }
  return limits.map((limit) => ({ from: series.from_ms, to: series.to_ms, limit }));
}

/** The lowest and highest value the plot must hold: all that was measured, and the limits. */
export function range(drawing: Drawing): [number, number] {
  const { series } = drawing;
  const scale = quantity(series.quantity).per_display;
  const band = series.band;
  const measured = [...series.drawn.low, ...series.drawn.high, ...(band?.low ?? []), ...(band?.high ?? [])];
  const values = [...measured, ...limitLines(drawing).map((each) => each.limit.limit)];
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    least = Math.min(least, value / scale);
    most = Math.max(most, value / scale);
  }
  if (least > most) return [0, 1];
  const room = Math.max((most - least) * 0.1, 5 * 10 ** -quantity(series.quantity).decimals);
  return [least - room, most + room];
}

function hatch(ctx: CanvasRenderingContext2D, left: number, right: number, box: uPlot.BBox, colour: string): void {
  const step = 7 * devicePixelRatio;
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, box.top, right - left, box.height);
  ctx.clip();
  ctx.strokeStyle = colour;
  ctx.lineWidth = devicePixelRatio;
  ctx.beginPath();
  for (let x = left - box.height - ((left - box.height) % step); x < right; x += step) {
    ctx.moveTo(x, box.top + box.height);
    ctx.lineTo(x + box.height, box.top);
  }
  ctx.stroke();
  ctx.restore();
}

/** Times whose readings were removed: from the lowest to the highest, and the mean, which nobody measured, dotted. */
function summaries(u: uPlot, drawing: Drawing, colours: Ink, x: (ms: number) => number): void {
  const { ctx } = u;
  const band = drawing.series.band;
  if (band === undefined) return;
  const scale = quantity(drawing.series.quantity).per_display;
  const y = (value: number) => u.valToPos(value / scale, "y", true);
  ctx.save();
  ctx.fillStyle = colours.line;
  for (let i = 0; i < band.from_ms.length; i += 1) {
    const [left, right] = [x(band.from_ms[i]!), x(band.to_ms[i]!)];
    const [top, bottom] = [y(band.high[i]!), y(band.low[i]!)];
    const wide = Math.max(right - left, devicePixelRatio);
    ctx.globalAlpha = 0.25;
    ctx.fillRect(left, top, wide, Math.max(bottom - top, 2 * devicePixelRatio));
    // Edges: the shade alone does not survive a greyscale print.
    ctx.globalAlpha = 0.9;
    for (const edge of [top, bottom]) ctx.fillRect(left, edge - devicePixelRatio / 2, wide, devicePixelRatio);
    const mean = band.mean[i];
    if (mean == null) continue;
    for (let at = left; at < right; at += 6 * devicePixelRatio) {
      ctx.fillRect(at, y(mean) - devicePixelRatio / 2, Math.min(2 * devicePixelRatio, right - at), devicePixelRatio);
    }
  }
  ctx.restore();
}

function behind(u: uPlot, drawing: Drawing, colours: Ink): void {
  const { ctx, bbox } = u;
  const x = (ms: number) => Math.min(Math.max(u.valToPos(ms, "x", true), bbox.left), bbox.left + bbox.width);
  for (const excursion of drawing.series.excursions ?? []) {
    const [left, right] = [x(excursion.from_ms), x(excursion.to_ms ?? drawing.now)];
    ctx.fillStyle = colours.shade;
    ctx.fillRect(left, bbox.top, Math.max(right - left, 2 * devicePixelRatio), bbox.height);
    // A bar on top: the shade alone does not survive a greyscale print.
    ctx.fillStyle = colours.alarm;
    ctx.fillRect(left, bbox.top, Math.max(right - left, 2 * devicePixelRatio), 4 * devicePixelRatio);
  }
  summaries(u, drawing, colours, x);
  for (const gap of drawing.series.drawn.gaps) hatch(ctx, x(gap.from_ms), x(gap.to_ms), bbox, colours.hatch);
  for (const run of drawing.series.drawn.bad) {
    const [left, right] = [x(run.from_ms), x(run.to_ms)];
    hatch(ctx, left, Math.max(right, left + 3 * devicePixelRatio), bbox, colours.hatch);
    ctx.fillStyle = colours.text;
    ctx.fillRect(left, bbox.top + bbox.height - 5 * devicePixelRatio, Math.max(right - left, 3 * devicePixelRatio), 5 * devicePixelRatio);
  }
  if (drawing.stamps.length > 0) {
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.fillStyle = colours.muted;
    ctx.globalAlpha = 0.22;
    ctx.font = `bold ${22 * devicePixelRatio}px sans-serif`;
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
    const text = drawing.stamps.join(" · ").toUpperCase();
    const step = ctx.measureText(text).width + 60 * devicePixelRatio;
    for (let at = bbox.left + step / 2; at < bbox.left + bbox.width + step / 2; at += step) {
      ctx.save();
      ctx.translate(at, bbox.top + bbox.height / 2);
      ctx.rotate(-0.12);
      ctx.fillText(text, 0, 0);
      ctx.restore();
    }
    ctx.restore();
  }
}

/** Each column's lowest and highest value, joined: a spike of one reading is a full stroke. Returns how many. */
function extremes(u: uPlot, colours: Ink): number {
  const { ctx, data } = u;
  const [xs, lows, highs] = [data[0], data[1], data[2]];
  let drawn = 0;
  ctx.save();
  ctx.beginPath();
  ctx.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height);
  ctx.clip();
  ctx.strokeStyle = colours.line;
  ctx.lineWidth = 1.4 * devicePixelRatio;
  ctx.beginPath();
  for (let i = 0; i < xs.length; i += 1) {
    const [low, high] = [lows?.[i], highs?.[i]];
    if (low == null || high == null) continue;
    const x = u.valToPos(xs[i]!, "x", true);
    const [bottom, top] = [u.valToPos(low, "y", true), u.valToPos(high, "y", true)];
    ctx.moveTo(x, bottom + 0.5 * devicePixelRatio);
    ctx.lineTo(x, top - 0.5 * devicePixelRatio);
    drawn += 1;
  }
  ctx.stroke();
  ctx.restore();
  return drawn;
}

function front(u: uPlot, drawing: Drawing, colours: Ink): void {
  const { ctx, bbox } = u;
  const dpr = devicePixelRatio;
  const clamp = (at: number) => Math.min(Math.max(at, bbox.left), bbox.left + bbox.width);
  const scale = quantity(drawing.series.quantity).per_display;
  ctx.save();
  ctx.font = `${12 * dpr}px sans-serif`;
  const taken: number[] = [];
  // The gravest first: where two labels would cover each other, it is the one that stays.
  const rank = (limit: Limit) => PRIORITIES.indexOf(limit.priority ?? "high");
  for (const { from, to, limit } of limitLines(drawing).sort((a, b) => rank(a.limit) - rank(b.limit))) {
    const y = u.valToPos(limit.limit / scale, "y", true);
    const [left, right] = [clamp(u.valToPos(from, "x", true)), clamp(u.valToPos(to, "x", true))];
    ctx.strokeStyle = colours.text;
    ctx.lineWidth = 1.5 * dpr;
    ctx.setLineDash([7 * dpr, 4 * dpr]);
    ctx.beginPath();
    ctx.moveTo(left, y);
    ctx.lineTo(right, y);
    ctx.stroke();
    ctx.setLineDash([]);
    if (taken.some((other) => Math.abs(other - y) < 14 * dpr)) continue; // a label on a label says neither
    taken.push(y);
    const above = limit.side === "above";
    ctx.fillStyle = colours.text;
    const text = `${above ? "▲" : "▼"} ${w.limit} ${bound(drawing.series.quantity, limit.limit)}`;
    const fits = left + ctx.measureText(text).width + 12 * dpr < bbox.left + bbox.width;
    ctx.textAlign = fits ? "left" : "right";
    ctx.textBaseline = above ? "bottom" : "top";
    const x = fits ? left + 6 * dpr : bbox.left + bbox.width - 6 * dpr;
    label(ctx, colours, text, x, y + (above ? -3 : 3) * dpr);
  }
  for (const mark of drawing.series.marks ?? []) {
    const x = u.valToPos(mark.at_ms, "x", true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.strokeStyle = colours.muted;
    ctx.lineWidth = dpr;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.fillStyle = colours.muted;
    const room = bbox.left + bbox.width - x < 90 * dpr;
    ctx.textAlign = room ? "right" : "left";
    ctx.textBaseline = "bottom";
    label(ctx, colours, mark.text || mark.kind, x + (room ? -4 : 4) * dpr, bbox.top + bbox.height - 7 * dpr);
  }
  ctx.restore();
}

function tick(ms: number, step: number): string {
  const text = new Date(ms).toISOString();
  if (step >= 86_400_000 || ms % 86_400_000 === 0) return text.slice(5, 10);
  return step < 60_000 ? text.slice(11, 19) : text.slice(11, 16);
}

/** Build a plot in `host`. `zoom` is called with the stretch that was drawn over, in UTC ms. */
export function plot(
  host: HTMLElement,
  width: number,
  height: number,
  current: () => Drawing,
  drawn: (columns: number) => void,
  zoom: (from: number, to: number) => void,
): uPlot {
  const colours = ink(host);
  const axis = {
    stroke: colours.muted,
    font: colours.font,
    grid: { stroke: colours.grid, width: 1 },
    ticks: { stroke: colours.grid, width: 1, size: 5 },
  };
  const hidden = { stroke: "transparent", points: { show: false } };
  const unit = quantity(current().series.quantity).unit;
  return new uPlot(
    {
      width,
      height,
      ms: 1,
      tzDate: (ms) => uPlot.tzDate(new Date(ms), "UTC"),
      legend: { show: false },
      padding: [10, 8, 0, 0],
      cursor: { drag: { x: true, y: false, setScale: false }, points: { show: false }, y: false },
      scales: {
        x: { time: true, range: () => [current().series.from_ms, current().series.to_ms] },
        y: { range: () => range(current()) },
      },
      axes: [
        { ...axis, size: 30, values: (_, splits, __, ___, step) => splits.map((ms) => tick(ms, step)) },
        {
          ...axis,
          size: 62,
          values: (_, splits) =>
            splits.map((value) => {
              const q = quantity(current().series.quantity);
              const whole = splits.every((each) => Number.isInteger(Math.round(each * 1e6) / 1e6));
              const text = number(current().series.quantity, Math.round(value * q.per_display));
              return `${whole && q.decimals > 0 ? text.slice(0, -q.decimals - 1) : text} ${unit}`;
            }),
        },
      ],
      series: [
        {},
        hidden,
        hidden,
        { stroke: colours.line, width: 1.4, points: { show: false }, spanGaps: false },
      ],
      hooks: {
        drawClear: [(u) => behind(u, current(), colours)],
        draw: [
          (u) => {
            drawn(extremes(u, colours));
            front(u, current(), colours);
          },
        ],
        setSelect: [
          (u) => {
            if (u.select.width < 4) return;
            zoom(u.posToVal(u.select.left, "x"), u.posToVal(u.select.left + u.select.width, "x"));
            u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          },
        ],
      },
    },
    rows(current().series),
    host,
  );
}
