// A wallet signs in with viem: it reads the registry's message, and then signs one of its own with the same nonce.
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
const statement = "Words of the wallet's own.";
const message = createSiweMessage({ address: account.address, chainId, domain, nonce, statement, uri, version: "1" });
const begun = await post("/v1/sessions", { message, signature: await account.signMessage({ message }) });
process.stdout.write(JSON.stringify({ valid, status: begun.status, same: (await begun.json()).account === account.address }));
