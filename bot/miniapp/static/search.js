// Finds lines by what people call services and countries: in any order, by beginnings, past a typo.

const EXACT = 100, WORD = 90, PREFIX = 70, TYPO = 50;
const GUESSABLE = 4; // shorter words are too close to one another

/** As the server writes its keys: lower case, without accents and punctuation, flags as country codes. */
export function normalize(text) {
  return text
    .replace(/[\u{1F1E6}-\u{1F1FF}]{2}/gu, (flag) =>
      ` ${[...flag].map((symbol) => String.fromCharCode(symbol.codePointAt(0) - 0x1f1e6 + 65)).join("")} `)
    .normalize("NFKD").toLowerCase().normalize("NFKD")
    .replace(/['’ʼ`\p{Mn}\p{Cf}]/gu, "")
    .replace(/[^\p{L}\p{N}\p{Mc}]+/gu, " ")
    .trim();
}

export class Names {
  /** `entries`: [id, names]. */
  constructor(entries) {
    this.keys = new Map(); // key → Map of id → weight
    for (const [id, names] of entries) {
      for (const name of names.map(normalize)) {
        this.add(name, id, EXACT);
        const words = name.split(" ");
        if (words.length > 1) words.filter((word) => word.length >= GUESSABLE).forEach((word) => this.add(word, id, WORD));
      }
    }
  }

  add(key, id, weight) {
    if (!this.keys.has(key)) this.keys.set(key, new Map());
    const ids = this.keys.get(key);
    ids.set(id, Math.max(weight, ids.get(id) ?? 0));
  }

  /** What `word` may name: id → score. Guesses only where nothing begins like it. */
  find(word) {
    const found = new Map();
    const note = (ids, share) => ids.forEach((weight, id) => found.set(id, Math.max(found.get(id) ?? 0, weight * share / 100)));
    if (this.keys.has(word)) note(this.keys.get(word), 100);
    for (const [key, ids] of this.keys) {
      if (word.length > 1 && key.length > word.length && key.startsWith(word)) note(ids, PREFIX);
    }
    if (!found.size && word.length >= GUESSABLE) {
      const most = word.length < 8 ? 1 : 2;
      for (const [key, ids] of this.keys) if (isWithin(word, key, most)) note(ids, TYPO);
    }
    return found;
  }
}

/** Whether so few letters, added, left out, changed or swapped, make one word the other. */
export function isWithin(one, other, most) {
  if (Math.abs(one.length - other.length) > most) return false;
  let before = null;
  let row = Array.from({ length: other.length + 1 }, (_, column) => column);
  for (let i = 1; i <= one.length; i++) {
    const next = [i];
    for (let j = 1; j <= other.length; j++) {
      const cost = one[i - 1] === other[j - 1] ? 0 : 1;
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + cost);
      if (i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1]) {
        next[j] = Math.min(next[j], before[j - 2] + 1);
      }
    }
    [before, row] = [row, next];
  }
  return row[other.length] <= most;
}

/** Scores of lines for a query: `line` → number, 0 where a word of it means nothing there. */
export function scorer(query, services, countries) {
  const words = normalize(query).split(" ").filter(Boolean);
  const pairs = words.slice(1).map((word, index) => words[index] + " " + word);
  const meanings = words.map((word) => [services.find(word), countries.find(word)]);
  const together = pairs.map((pair) => [services.keys.get(pair), countries.keys.get(pair)]);
  return (line) => {
    const scores = meanings.map(([service, country]) => Math.max(service.get(line.service) ?? 0, country.get(line.country) ?? 0));
    together.forEach(([service, country], index) => {
      const score = Math.max(service?.get(line.service) ?? 0, country?.get(line.country) ?? 0);
      for (const word of [index, index + 1]) scores[word] = Math.max(scores[word], score);
    });
    return scores.every(Boolean) ? scores.reduce((sum, score) => sum + score, 0) : 0;
  };
}
