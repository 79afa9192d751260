// What is looked at. All of it stands in the address, so a link shows somebody else the same.

export type SpanName = "packing" | "1h" | "6h" | "24h" | "7d";
export const SPANS: SpanName[] = ["packing", "1h", "6h", "24h", "7d"];
export const SPAN_MS: Record<Exclude<SpanName, "packing">, number> = {
  "1h": 3_600_000,
  "6h": 21_600_000,
  "24h": 86_400_000,
  "7d": 604_800_000,
};

export type Theme = "auto" | "dark" | "light";

class View {
  asset = $state<string | null>(null);
  span = $state<SpanName>("packing");
  fixed = $state.raw<{ from: number; to: number } | null>(null);
  wall = $state(false);
  theme = $state<Theme>("auto");
  keys = $state(true);

  constructor() {
    this.#read();
    window.addEventListener("popstate", () => this.#read());
    const theme = localStorage.getItem("coldchain.theme");
    if (theme === "dark" || theme === "light") this.theme = theme;
    this.keys = localStorage.getItem("coldchain.keys") !== "off";
  }

  #read(): void {
    const query = new URLSearchParams(location.search);
    this.asset = query.get("asset");
    const span = query.get("span") as SpanName;
    this.span = SPANS.includes(span) ? span : "packing";
    const [from, to] = [Number(query.get("from")), Number(query.get("to"))];
    this.fixed = from > 0 && to > from ? { from, to } : null;
    this.wall = query.has("wall");
  }

  /** The address of this view; with `frozen`, of exactly this stretch of time. */
  address(frozen?: { from: number; to: number }): string {
    const query = new URLSearchParams();
    if (this.asset !== null) query.set("asset", this.asset);
    const fixed = frozen ?? this.fixed;
    if (fixed !== null) {
      query.set("from", String(Math.round(fixed.from)));
      query.set("to", String(Math.round(fixed.to)));
    } else if (this.span !== "packing") {
      query.set("span", this.span);
    }
    const text = query.toString() + (this.wall ? `${query.size ? "&" : ""}wall` : "");
    return location.origin + location.pathname + (text ? `?${text}` : "");
  }

  #write(push = false): void {
    const address = this.address();
    if (push) history.pushState(null, "", address);
    else history.replaceState(null, "", address);
  }

  choose(asset: string | null): void {
    if (asset === this.asset) return;
    this.asset = asset;
    this.#write(true); // so that "back" on a phone goes back to the list
  }

  setSpan(span: SpanName): void {
    this.span = span;
    this.fixed = null;
    this.#write();
  }

  zoom(from: number, to: number): void {
    this.fixed = { from, to };
    this.#write();
  }

  setWall(wall: boolean): void {
    this.wall = wall;
    this.#write();
  }

  nextTheme(): void {
    this.theme = ({ auto: "dark", dark: "light", light: "auto" } as const)[this.theme];
    localStorage.setItem("coldchain.theme", this.theme);
  }

  setKeys(on: boolean): void {
    this.keys = on;
    localStorage.setItem("coldchain.keys", on ? "on" : "off");
  }
}

export const view = new View();
