// Package killtest is the suite that tries to make the broker lose what it acknowledged.
// Its tests run the broker as a process of its own, on one folder and one port, and
// SIGKILL it at random moments: while it serves, starts, recovers, compacts and stops.
// Meanwhile clients in the test's process write and read:
//
//   - idempotent producers number the records of each key;
//   - transactional ones write to many partitions at once and commit, abort, or vanish;
//   - members of groups transform a topic into another, exactly once;
//   - positions are committed, and groups deleted;
//   - topics lose records to retention, compaction and deletion;
//   - topics are made, changed and deleted.
//
// Each keeps a book of what it was told. In the end a fresh client reads everything, and
// what it finds is compared with the books: nothing lost, twice, out of order or torn.
// Other tests fill the disk, step the clock and damage the folder.
//
// make test runs a share of it, PABAL_TEST_FULL=1 all. PABAL_TEST_SEED repeats the choices
// of a run, though not the moments at which the system lets things happen.
package killtest
