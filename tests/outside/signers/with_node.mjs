// Verifies and signs DSSE envelopes with node's crypto: `verify ENVELOPE PUBLIC` prints whether, `sign ENVELOPE SECRET` prints an envelope.
import { createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import { readFileSync } from "node:fs";

const [, , mode, file, keyFile] = process.argv;
const envelope = JSON.parse(readFileSync(file, "utf8"));
const payload = Buffer.from(envelope.payload, "base64");
const type = Buffer.from(envelope.payloadType);
const message = Buffer.concat([Buffer.from(`DSSEv1 ${type.length} `), type, Buffer.from(` ${payload.length} `), payload]);
const key = readFileSync(keyFile, "utf8");

// An OpenSSH line ends with the 32 bytes of the key.
const publicKey = () => {
  if (key.startsWith("-----")) return createPublicKey(key);
  const x = Buffer.from(key.split(" ")[1], "base64").subarray(-32).toString("base64url");
  return createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
};

if (mode === "verify") {
  const signature = Buffer.from(envelope.signatures[0].sig, "base64");
  console.log(verify(null, message, publicKey(), signature) ? "holds" : "does not hold");
} else {
  const sig = sign(null, message, createPrivateKey(key)).toString("base64");
  console.log(JSON.stringify({ ...envelope, signatures: [{ sig }] }));
}
