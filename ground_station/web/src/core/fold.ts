/** Folds text for searching: no diacritics, no case, đ as d, so that "ha tien" finds "Hà Tiên". */
export function fold(text: string): string {
  return text
    .normalize("NFD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replaceAll("đ", "d");
}

/** Whether every word of the query occurs in the text; both are folded. */
export function matches(text: string, query: string): boolean {
  const folded = fold(text);
  return fold(query)
    .split(/\s+/)
    .every((word) => folded.includes(word));
}
