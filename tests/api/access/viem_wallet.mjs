// A wallet signs in with viem: it reads the registry's message, and then writes one that says the same in its own way.
//
// node tests/api/access/viem_wallet.mjs URL
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { createSiweMessage, parseSiweMessage, validateSiweMessage } from "viem/siwe";

const account = privateKeyToAccount(generatePrivateKey());
const post = (path, body) => fetch(process.argv[2] + path, { method: "POST", body: JSON.stringify(body) });

const asked = await (await post("/v1/sessions/nonce", { account: account.address })).json();
const { domain, nonce, uri } = asked;
const valid = validateSiweMessage({ message: parseSiweMessage(asked.message), address: account.address, domain, nonce });
const chainId = asked.chain_id;
const [issuedAt, expirationTime] = [asked.issued_at, asked.expiration_time].map((time) => new Date(time));
const said = { chainId, domain, expirationTime, issuedAt, nonce, statement: asked.statement, uri };
const message = createSiweMessage({ address: account.address, ...said, version: "1" });
const begun = await post("/v1/sessions", { message, signature: await account.signMessage({ message }) });
process.stdout.write(JSON.stringify({ valid, status: begun.status, same: (await begun.json()).account === account.address }));
