// Starts adbkit's createTcpUsbBridge (the daemon's side of AUTH) and hands its questions to the test that started it:
// node bridge.js NODE_MODULES SERVER_PORT SERIAL [FILE WITH AN ALLOWED PUBLIC KEY]
"use strict";
const fs = require("fs");
const readline = require("readline");

const [modules, serverPort, serial, known] = process.argv.slice(2);
const { Adb } = require(`${modules}/@devicefarmer/adbkit`);
const Auth = require(`${modules}/@devicefarmer/adbkit/dist/src/adb/auth`).default;

const waiting = [];
readline.createInterface({ input: process.stdin }).on("line", (word) => {
  const decide = waiting.shift();
  if (decide) decide(word === "allow");
});

async function main() {
  const keys = known ? [await Auth.parsePublicKey(fs.readFileSync(known, "utf8"))] : [];
  const client = Adb.createClient({ host: "127.0.0.1", port: Number(serverPort) });
  const server = client.createTcpUsbBridge(serial, {
    knownPublicKeys: keys,
    auth: (key) =>
      new Promise((resolve, reject) => {
        console.log(`asked ${key.fingerprint} ${key.comment}`);
        waiting.push((allowed) => (allowed ? resolve() : reject(new Error("refused"))));
      }),
  });
  server.on("error", (error) => console.log(`error ${error.message}`));
  server.on("listening", () => console.log(`port ${server.server.address().port}`));
  server.listen(0, "127.0.0.1");
}

main();
