// Words about work at a vessel, in English: apart, so that the page's first script stays small.

export const en = {
  works: "Work going on",
  work_manage: "Work at this vessel",
  work_title: "Begin work",
  work_note: "Its alarms call nobody meanwhile; they are judged and recorded all the same, and call again at the end.",
  work_kind: "Work",
  work_scope: "Place",
  work_whole: "the whole vessel",
  work_begin: "Begin",
  work_end: "It is done",
  work_longest: (time: string) => `As long as it may last: ${time}`,
  work_too_long: (most: string) => `That is too long: ${most} from now at most.`,
  work_hides: (rules: string) => `alarms hidden: ${rules}`,
  work_by_readings: "shown by readings",
  work_shown: "readings show that it was done",
  work_not_shown: "readings do not show yet that it was done",
  until: (time: string, left: string) => `until ${time}, ${left} left`,
  blind: (time: string) => `${time} without some alarms`,
  blind_now: (time: string) => `without some alarms now, ${time} so far`,
};

export type WorkWords = typeof en;
