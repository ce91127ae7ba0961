// Make `tests/vectors/sign_in.json`: messages to sign in (EIP-4361) as viem makes them, with digest and signature.
//
// node tests/vectors/generate/sign_in_vectors.mjs > tests/vectors/sign_in.json
import { hashMessage } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { createSiweMessage } from "viem/siwe";

const about =
  "Messages to sign in (EIP-4361) by viem, for the site of `uri` and the chain `chain_id`, with their digest (EIP-191, " +
  "personal_sign) and a signature (RFC 6979). `now`: a time at which they are valid. Times are Unix seconds. " +
  "`refused`: messages for the first case's site that are refused, with the code. The private keys are small numbers.";

const now = 1795460000;
const plain = {
  chain_id: 31337,
  domain: "127.0.0.1:8000",
  issued_at: now - 2,
  nonce: "9f86d081884c7d659a2feaa0c55ad015",
  uri: "http://127.0.0.1:8000",
};
const cases = {
  "the least": {},
  "with an end": { expiration_time: now + 298 },
  "with a beginning and an end": { expiration_time: now + 1, not_before: now },
  "with a statement": { statement: "Sign in to this registry of rights. This is no transaction, and registers nothing." },
  "every sign that a statement may have": { statement: "~_-. :/?#[]@!$&'()*+,;= 09azAZ" },
  "with a scheme": { scheme: "http" },
  "a host with a name": { chain_id: 1, domain: "deeds.example.com", uri: "https://deeds.example.com" },
  "a path": { domain: "localhost:8443", uri: "https://localhost:8443/registry" },
  "the shortest nonce": { nonce: "12345678" },
};

function date(seconds) {
  return seconds === undefined ? undefined : new Date(seconds * 1000);
}

async function signed(name, fields, number) {
  const private_key = `0x${number.toString(16).padStart(64, "0")}`;
  const account = privateKeyToAccount(private_key);
  const message = createSiweMessage({
    address: account.address,
    chainId: fields.chain_id,
    domain: fields.domain,
    expirationTime: date(fields.expiration_time),
    issuedAt: date(fields.issued_at),
    nonce: fields.nonce,
    notBefore: date(fields.not_before),
    scheme: fields.scheme,
    statement: fields.statement,
    uri: fields.uri,
    version: "1",
  });
  const signature = await account.signMessage({ message });
  return { name, private_key, account: account.address, ...fields, message, digest: hashMessage(message), signature };
}

const made = [];
for (const [name, fields] of Object.entries(cases)) made.push(await signed(name, { ...plain, ...fields }, made.length + 1));
const [{ message }] = made;
const refused = [
  ["a line break of Windows", message.replaceAll("\n", "\r\n"), "sign_in.malformed"],
  ["a line break at the end", `${message}\n`, "sign_in.malformed"],
  ["one empty line too few", message.replace("\n\n\n", "\n\n"), "sign_in.malformed"],
  ["members in another order", message.replace(/(Version: 1)\n(Chain ID: 31337)/, "$2\n$1"), "sign_in.malformed"],
  ["a statement in Chinese", message.replace("\n\n\n", "\n\n登录\n\n"), "sign_in.malformed"],
  ["a nonce of seven", message.replace(plain.nonce, "1234567"), "sign_in.malformed"],
  ["another version", message.replace("Version: 1", "Version: 2"), "sign_in.version"],
  ["the account in small letters", message.replace(/0x[0-9a-fA-F]{40}/, (address) => address.toLowerCase()), "sign_in.checksum"],
  ["a time that there is not", message.replace(/Issued At: .*/, "Issued At: 2026-02-30T00:00:00Z"), "sign_in.time"],
  ["a request id", `${message}\nRequest ID: 7`, "sign_in.unused"],
  ["resources", `${message}\nResources:\n- https://example.com/`, "sign_in.unused"],
  ["another site", message.replaceAll("127.0.0.1:8000", "evil.example.com"), "sign_in.domain"],
  ["another port", message.replace("127.0.0.1:8000 wants", "127.0.0.1:8001 wants"), "sign_in.domain"],
  ["a user before the host", message.replace("127.0.0.1:8000 wants", "127.0.0.1:8000@evil.example.com wants"), "sign_in.domain"],
  ["another URI", message.replace("http://127.0.0.1:8000", "http://127.0.0.1:8000/v2"), "sign_in.uri"],
  ["another scheme", `https://${message}`, "sign_in.scheme"],
  ["another chain", message.replace("31337", "1"), "sign_in.chain"],
  ["from the future", message.replace(/Issued At: .*/, "Issued At: 2030-01-01T00:00:00Z"), "sign_in.ahead"],
  ["from last year", message.replace(/Issued At: .*/, "Issued At: 2025-01-01T00:00:00Z"), "sign_in.old"],
  ["over", `${message}\nExpiration Time: ${date(now).toISOString()}`, "sign_in.expired"],
  ["not begun", `${message}\nNot Before: ${date(now + 1).toISOString()}`, "sign_in.not_yet"],
].map(([name, text, code]) => ({ name, message: text, code }));
process.stdout.write(`${JSON.stringify({ about, now, made, refused }, null, 1)}\n`);
