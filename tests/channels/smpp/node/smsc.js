// An SMSC of node-smpp. It takes a line of JSON for each message to deliver, and says in one what
// came in. The library reads and writes all letters itself, in its own tables.
'use strict';

const readline = require('readline');
const smpp = require('smpp');

const say = (what) => process.stdout.write(JSON.stringify(what) + '\n');
const hex = (value) => (Buffer.isBuffer(value) ? value.toString('hex') : value);

let session = null;
let messages = 0;

const server = smpp.createServer((connected) => {
  for (const bind of ['bind_transceiver', 'bind_receiver', 'bind_transmitter']) {
    connected.on(bind, (pdu) => {
      const right = pdu.system_id === 'coopuser' && pdu.password === 'secret12';
      connected.send(pdu.response(right ? { system_id: 'SMSC' } : { command_status: 0x0e }));
      if (!right) return;
      if (bind !== 'bind_transmitter') session = connected;
      say({ bound: bind, system_type: pdu.system_type, version: pdu.interface_version });
    });
  }
  connected.on('enquire_link', (pdu) => connected.send(pdu.response()));
  connected.on('unbind', (pdu) => {
    connected.send(pdu.response());
    connected.close();
    say({ unbound: true });
  });
  connected.on('submit_sm', (pdu) => {
    messages += 1;
    const carried = pdu.message_payload === undefined ? pdu.short_message : pdu.message_payload;
    say({
      submitted: {
        source: [pdu.source_addr, pdu.source_addr_ton, pdu.source_addr_npi],
        destination: [pdu.destination_addr, pdu.dest_addr_ton, pdu.dest_addr_npi],
        service_type: pdu.service_type,
        data_coding: pdu.data_coding,
        esm_class: pdu.esm_class,
        registered_delivery: pdu.registered_delivery,
        text: carried.message,
        udh: carried.udh ? carried.udh.map(hex) : [],
        operation: pdu.ussd_service_op,
        session: hex(pdu.its_session_info),
        reference: pdu.user_message_reference,
        reply_type: pdu.its_reply_type,
        sar: [pdu.sar_msg_ref_num, pdu.sar_total_segments, pdu.sar_segment_seqnum],
        message_id: String(messages),
      },
    });
    connected.send(pdu.response({ message_id: String(messages) }));
  });
  connected.on('error', () => connected.destroy());
});

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, deliver } = JSON.parse(line);
  const { its_session_info: info, ...fields } = deliver;
  if (info !== undefined) fields.its_session_info = Buffer.from(info, 'hex');
  session.deliver_sm(fields, (answer) => say({ delivered: id, status: answer.command_status }));
});
process.stdin.on('close', () => process.exit(0));

server.listen(0, '127.0.0.1', () => say({ listening: server.address().port }));
