// Times in the reader's words. Relative ones tick.

const words = new Intl.RelativeTimeFormat(undefined, { numeric: "always" });
const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60]];

export function agoOrAhead(unix) {
  const seconds = unix - Math.floor(Date.now() / 1000);
  for (const [unit, size] of UNITS) {
    if (Math.abs(seconds) >= size) return words.format(Math.trunc(seconds / size), unit);
  }
  return words.format(seconds, "second");
}

/** Minutes and seconds that are left, as on a kitchen clock. */
export function countdown(unix) {
  const seconds = Math.max(0, unix - Math.floor(Date.now() / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

export function clockTime(unix) {
  return new Date(unix * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

/** A date_time entity's format: w, d or D, and t or T, in any mix. */
export function moment(at, format) {
  const options = {};
  if (format.includes("w")) options.weekday = "long";
  if (format.includes("d")) Object.assign(options, { day: "numeric", month: "numeric", year: "2-digit" });
  if (format.includes("D")) Object.assign(options, { day: "numeric", month: "long", year: "numeric" });
  if (/[tT]/.test(format)) Object.assign(options, { hour: "2-digit", minute: "2-digit" });
  if (format.includes("T")) options.second = "2-digit";
  return Object.keys(options).length ? at.toLocaleString([], options) : "";
}

setInterval(() => {
  for (const element of document.querySelectorAll("time[data-unix]")) {
    const text = (element.dataset.kind === "countdown" ? countdown : agoOrAhead)(Number(element.dataset.unix));
    if (element.textContent !== text) element.textContent = text;
  }
}, 1000);
