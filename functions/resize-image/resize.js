"use strict";
/** A picture in, a picture of another size out. */
const { Transform } = require("node:stream");
const { pipeline } = require("node:stream/promises");
const sharp = require("sharp");
const { Refusal, TYPES } = require("./request");

// One call uses one core: Swarm spreads calls over replicas, and a limit on CPU is not one that libvips knows of.
sharp.concurrency(1);
sharp.cache(false);
// Only what cameras, phones and web pages make. SVG and the like can name files and addresses of their own.
sharp.block({ operation: ["VipsForeignLoad"] });
sharp.unblock({
  operation: [
    "VipsForeignLoadJpegBuffer",
    "VipsForeignLoadPngBuffer",
    "VipsForeignLoadWebpBuffer",
    "VipsForeignLoadHeifBuffer",
    "VipsForeignLoadNsgifBuffer",
  ],
});

/**
 * Reads the picture from `input`, a stream, and gives the new one with its Content-Type. What a camera wrote beside the
 * picture (place, time, device) does not come through; its orientation is applied.
 * Throws a Refusal: 400 empty, 413 too large in bytes or pixels, 415 no picture that is understood, 422 a broken one.
 */
async function resize(input, options, limits) {
  const picture = sharp({ failOn: "truncated", limitInputPixels: limits.pixels, autoOrient: true });
  const counted = limited(limits.bytes);
  const reading = pipeline(input, counted, picture);
  // The failure that counts is the stream's; without this one, the other would be an unhandled rejection.
  const described = picture.metadata().catch((error) => error);
  await reading;
  if (counted.bytes === 0) throw new Refusal(400, "the body is empty; send a picture");
  const metadata = await described;
  if (metadata instanceof Error) throw refusalOf(metadata, limits);
  const format = options.format ?? (metadata.format === "heif" ? "avif" : metadata.format);
  const target = format in TYPES ? format : "png";
  const { width, height, fit, quality } = options;
  try {
    const { data, info } = await picture
      .resize({ width, height, fit })
      .toFormat(target, quality ? { quality } : {})
      .timeout({ seconds: limits.seconds })
      .toBuffer({ resolveWithObject: true });
    return { data, type: TYPES[target], width: info.width, height: info.height };
  } catch (error) {
    throw refusalOf(error, limits);
  }
}

function limited(max) {
  const stream = new Transform({
    transform(chunk, _encoding, done) {
      stream.bytes += chunk.length;
      if (stream.bytes > max) done(tooManyBytes(max));
      else done(null, chunk);
    },
  });
  stream.bytes = 0;
  return stream;
}

function tooManyBytes(max) {
  return new Refusal(413, `the picture is larger than ${max} bytes`);
}

function refusalOf(error, limits) {
  const text = error.message;
  if (/pixel limit/i.test(text)) return new Refusal(413, `the picture has more than ${limits.pixels} pixels`);
  if (/unsupported image format|is not a known|operation is blocked/i.test(text))
    return new Refusal(415, "the body is not a picture in PNG, JPEG, WebP, AVIF or GIF");
  if (/timeout/i.test(text)) return new Refusal(422, `the picture took longer than ${limits.seconds} s`);
  return new Refusal(422, `the picture cannot be read: ${text.split("\n")[0].slice(0, 200)}`);
}

module.exports = { resize, tooManyBytes };
