// Sound until somebody acknowledges. Browsers let a page sound only after a key or a click, so whether it
// really can is asked of the audio itself and shown; a wall board that is silent says so.

type Want = "none" | "critical" | "high" | "lost";

// Pitch (Hz) and length (ms) of each pulse, and how often the group comes again.
const PATTERNS: Record<Exclude<Want, "none">, { pulses: [number, number][]; every: number }> = {
  critical: { pulses: [[880, 160], [0, 70], [880, 160], [0, 70], [1175, 240]], every: 1_500 },
  high: { pulses: [[660, 180], [0, 90], [880, 220]], every: 4_000 },
  lost: { pulses: [[440, 350], [0, 150], [330, 450]], every: 8_000 },
};

class Sound {
  armed = $state(false); // the person wants it
  running = $state(false); // the browser lets it
  want = $state<Want>("none");

  state = $derived<"off" | "blocked" | "armed" | "sounding">(
    !this.armed ? "off" : !this.running ? "blocked" : this.want === "none" ? "armed" : "sounding",
  );

  #context: AudioContext | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;
  #playing: Want = "none";

  /** Call once; `wall`: a wall board is armed from the start. */
  start(wall: boolean): void {
    this.armed = wall || localStorage.getItem("coldchain.sound") === "on";
    if (this.armed) this.#open();
    const gesture = () => {
      if (this.armed && !this.running) this.#open();
    };
    window.addEventListener("pointerdown", gesture);
    window.addEventListener("keydown", gesture);
  }

  arm(): void {
    this.armed = true;
    localStorage.setItem("coldchain.sound", "on");
    this.#open();
  }

  disarm(): void {
    this.armed = false;
    localStorage.setItem("coldchain.sound", "off");
    this.#play();
  }

  toggle(): void {
    if (this.armed && this.running) this.disarm();
    else this.arm();
  }

  need(want: Want): void {
    this.want = want;
    this.#play();
  }

  #open(): void {
    if (this.#context === null) {
      this.#context = new AudioContext();
      this.#context.onstatechange = () => {
        this.running = this.#context?.state === "running";
        this.#play();
      };
    }
    // Refused without a gesture; the state then stays "suspended", which is what is shown.
    void this.#context.resume().catch(() => undefined);
    this.running = this.#context.state === "running";
    this.#play();
  }

  #play(): void {
    const want = this.armed && this.running ? this.want : "none";
    if (want === this.#playing) return;
    this.#playing = want;
    clearInterval(this.#timer);
    if (want === "none") return;
    const { pulses, every } = PATTERNS[want];
    const group = () => this.#sound(pulses);
    group();
    this.#timer = setInterval(group, every);
  }

  #sound(pulses: [number, number][]): void {
    const context = this.#context;
    if (context === null) return;
    let at = context.currentTime + 0.02;
    for (const [pitch, ms] of pulses) {
      const end = at + ms / 1000;
      if (pitch > 0) {
        const tone = context.createOscillator();
        const gain = context.createGain();
        tone.type = "square";
        tone.frequency.value = pitch;
        gain.gain.setValueAtTime(0, at);
        gain.gain.linearRampToValueAtTime(0.25, at + 0.01);
        gain.gain.setValueAtTime(0.25, end - 0.02);
        gain.gain.linearRampToValueAtTime(0, end);
        tone.connect(gain).connect(context.destination);
        tone.start(at);
        tone.stop(end);
      }
      at = end;
    }
  }
}

export const sound = new Sound();
