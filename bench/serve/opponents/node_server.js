// Node's own HTTP server with onnxruntime-node, one process, one thread. Arguments: PORT MODEL.onnx
const http = require('http');
const ort = require('onnxruntime-node');

const names = Array.from({length: 30}, (_, i) => `f${i}`);

async function main() {
  const session = await ort.InferenceSession.create(process.argv[3], {
    intraOpNumThreads: 1, interOpNumThreads: 1, executionMode: 'sequential',
    extra: {session: {intra_op: {allow_spinning: '0'}}},
  });
  const input = session.inputNames[0];
  const output = session.outputNames[1];
  http.createServer((request, response) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', async () => {
      const record = JSON.parse(Buffer.concat(parts));
      const row = Float32Array.from(names, (name) => record[name]);
      const answer = await session.run({[input]: new ort.Tensor('float32', row, [1, 30])}, [output]);
      const body = JSON.stringify({probability: answer[output].data[1]});
      response.writeHead(200, {'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body)});
      response.end(body);
    });
  }).listen(Number(process.argv[2]), '127.0.0.1');
}

main();
