// Digests of typed data by viem and by ethers: a JSON list of typed data on stdin, a JSON list of digests on stdout.
//
// node tests/vectors/generate/statement_digests.mjs < list.json
import { readFileSync } from "node:fs";
import { TypedDataEncoder } from "ethers";
import { hashDomain, hashStruct, hashTypedData } from "viem";

function byViem(data) {
  const { domain, message, primaryType, types } = data;
  return {
    digest: hashTypedData(data),
    domain_separator: hashDomain({ domain, types }),
    struct_hash: hashStruct({ data: message, primaryType, types }),
  };
}

function byEthers({ domain, message, primaryType, types }) {
  // ethers makes the domain's type itself, from the members that are there.
  const { EIP712Domain: _, ...structs } = types;
  return {
    digest: TypedDataEncoder.hash(domain, structs, message),
    domain_separator: TypedDataEncoder.hashDomain(domain),
    struct_hash: TypedDataEncoder.hashStruct(primaryType, structs, message),
  };
}

const list = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(list.map((data) => ({ viem: byViem(data), ethers: byEthers(data) }))));
