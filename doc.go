// Package pabal is the documentation of the module; its packages do the work.
//
// Begin with [github.com/pabal-dev/pabal/outbox] to publish what a database
// transaction decided, [github.com/pabal-dev/pabal/inbox] to handle messages
// so that each takes effect once, and the example of this package, which puts
// both together; with [github.com/pabal-dev/pabal/streams] for what is computed from topics
// continuously. [github.com/pabal-dev/pabal/storage/postgres] and
// [github.com/pabal-dev/pabal/storage/sqlite] are the databases.
package pabal
