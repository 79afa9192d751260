import { en, type WorkWords } from "./works.en";

// The same choice of language as in index.ts.
export const ww: WorkWords = en;
