// Package faults is the suite that tries to make Pabal lose a message, or do
// something twice. Its tests run the services of examples/orders and a relay as
// processes of their own, against real databases and brokers, and
//
//   - kill -9 them, or cut their connections, at every pair of durable steps:
//     before and after each request to Kafka or PostgreSQL that changes
//     something, and at the n-th write of SQLite's log;
//   - stop a relay at each of its steps (SIGSTOP), let another one take over,
//     and let it go on (SIGCONT);
//   - kill and restart databases and brokers, in turn on three brokers;
//   - deliver messages again and out of order;
//   - fill the disk;
//   - kill, freeze and cut off workers of a projection, so that its slices are cut
//     anew all the time, while events are appended in transactions that overlap;
//   - kill, freeze and cut off hosts of sagas, whose commands, answers and timers come
//     late, twice, in another order or as nonsense, under clocks that jump;
//   - kill workers that capture a database's changes, the database and the broker.
//
// Every run ends with the invariants of internal/invariants recomputed from the
// databases, and a look at the log for what is there twice or out of order.
//
// make test runs a share of it, PABAL_TEST_FULL=1 all; docs/guarantees.md says
// what was measured. A failure names the round; PABAL_TEST_SEED repeats it.
package faults
