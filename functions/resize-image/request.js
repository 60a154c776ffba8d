"use strict";
/** What a request asks for, checked: every mistake of it at once. */

/** Edge of the largest picture given back, in pixels. */
const MAX_EDGE = 8192;

/** Format names of a request, and the Content-Type of each answer. */
const TYPES = { png: "image/png", jpeg: "image/jpeg", webp: "image/webp", avif: "image/avif" };
const FITS = ["cover", "contain", "fill", "inside", "outside"];
const KNOWN = ["width", "height", "format", "fit", "quality"];

/** An answer that is the caller's mistake: a status of 4xx and a sentence for each thing to put right. */
class Refusal extends Error {
  constructor(status, ...reasons) {
    super(reasons.join("; "));
    this.status = status;
    this.reasons = reasons;
  }
}

/**
 * Reads ?width=&height=&format=&fit=&quality=. At least one of width and height is needed; the other follows from the
 * picture's proportions. Default: fit "cover" (the size asked for, what is over cut off), the format of the picture sent.
 * Throws a Refusal with status 400.
 */
function parseQuery(search) {
  const reasons = [];
  for (const name of new Set(search.keys())) {
    if (!KNOWN.includes(name)) reasons.push(`${name} is not a parameter; there are ${KNOWN.join(", ")}`);
    else if (search.getAll(name).length > 1) reasons.push(`${name} is given more than once`);
  }
  const options = {
    width: whole(search, "width", MAX_EDGE, reasons),
    height: whole(search, "height", MAX_EDGE, reasons),
    format: oneOf(search, "format", Object.keys(TYPES), reasons),
    fit: oneOf(search, "fit", FITS, reasons) ?? "cover",
    quality: whole(search, "quality", 100, reasons),
  };
  if (!search.has("width") && !search.has("height"))
    reasons.push("width or height has to be given, in pixels");
  if (reasons.length > 0) throw new Refusal(400, ...reasons);
  return options;
}

function whole(search, name, max, reasons) {
  const text = search.get(name);
  if (text === null) return undefined;
  const value = /^\d{1,6}$/.test(text) ? Number(text) : NaN;
  if (value >= 1 && value <= max) return value;
  reasons.push(`${name} has to be a whole number from 1 to ${max}`);
  return undefined;
}

function oneOf(search, name, allowed, reasons) {
  const text = search.get(name);
  if (text === null) return undefined;
  const value = name === "format" && text === "jpg" ? "jpeg" : text;
  if (allowed.includes(value)) return value;
  reasons.push(`${name} has to be one of ${allowed.join(", ")}`);
  return undefined;
}

module.exports = { MAX_EDGE, Refusal, TYPES, parseQuery };
