import { en, type DetailWords } from "./detail.en";

// The same choice of language as in index.ts.
export const ww: DetailWords = en;
