// What noble says of public keys: a JSON list of hex keys on stdin, a JSON list of booleans on stdout.
// True: canonical, on the curve, of prime order.
import { readFileSync } from "node:fs";
import { ed25519 } from "@noble/curves/ed25519";

const Point = ed25519.ExtendedPoint ?? ed25519.Point;

function isPublicKey(key) {
  try {
    const point = Point.fromHex(key.slice(2), false); // false: RFC 8032's strict encoding
    return !point.isSmallOrder() && point.isTorsionFree();
  } catch {
    return false;
  }
}

process.stdout.write(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(isPublicKey)));
