// BullMQ as a user of it would write it: `fill N`, `send N` and `send-many N` print tasks a second, `work SLOTS` works.

const { Queue, Worker } = require("bullmq");

const BULK = 1000;
const url = new URL(process.env.BENCH_URL);
const connection = { host: url.hostname, port: Number(url.port), maxRetriesPerRequest: null };

async function send(count) {
  for (let index = 0; index < count; index++) {
    await queue.add("noop", {});
  }
}

async function sendMany(count) {
  for (let sent = 0; sent < count; sent += BULK) {
    const some = Math.min(BULK, count - sent);
    await queue.addBulk(Array.from({ length: some }, () => ({ name: "noop", data: {} })));
  }
}

const [verb, number] = process.argv.slice(2);
let queue;
if (verb === "work") {
  new Worker("bench", async () => {}, { connection, concurrency: Number(number) });
} else {
  queue = new Queue("bench", { connection });
  queue.waitUntilReady().then(async () => {
    const count = Number(number);
    const start = process.hrtime.bigint();
    await (verb === "send" ? send(count) : sendMany(count));
    console.log(count / (Number(process.hrtime.bigint() - start) / 1e9));
    await queue.close();
  });
}
