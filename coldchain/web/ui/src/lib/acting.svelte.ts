// Which dialog is open, and about what. Actions are sent from dialogs alone, so nothing happens by accident.
import { live } from "./live.svelte";
import { waiting } from "./judge";
import type { Alarm } from "./types";

export type Ask = "acknowledge" | "shelve" | "unshelve" | "reset" | "close";

export interface Open {
  ask: Ask;
  alarm: Alarm; // as it was when the dialog opened
  covers: number[]; // the occurrences an acknowledgement names: those the person saw, and no later ones
}

class Acting {
  open = $state.raw<Open | null>(null);
  help = $state(false);
  chosen = $state<string | null>(null); // the chosen alarm
  said = $state(""); // for screen readers: what has just happened

  canAct = $derived(live.me !== null && live.me.role !== "viewer");
  isAdmin = $derived(live.me?.role === "admin");

  start(ask: Ask, alarm: Alarm): void {
    if (!this.canAct) return;
    this.open = { ask, alarm, covers: waiting(alarm) };
  }
}

export const acting = new Acting();
